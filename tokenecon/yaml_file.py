"""The one reader of a user's YAML: a mapping of names to plain values, small, each name once, each value whole."""

import copy
import functools
from pathlib import Path

import yaml

from tokenecon.errors import BadInput, quoted

LARGEST = 1_000_000  # bytes: a longer file is something else
KINDS = {"int": "whole number", "float": "number", "timestamp": "date"}


class NotYaml(BadInput):
    """What keeps a file from being read, as the end of a sentence that begins with its name."""


class _Loader(yaml.SafeLoader):
    """Safe YAML without what a file of parameters has no use for: names that stand twice, values that stand for others."""

    def compose_node(self, parent, index):
        """A node; an alias is refused, since nine short lines of them can mean a billion values."""
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, f"'*{event.anchor}' stands for another value; write it out",
                                              event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node, deep=False):
        """A value; one that looks like a date or a number and is none names its line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, LookupError, TypeError, AttributeError) as error:
            kind = KINDS.get(node.tag.rpartition(":")[2], "such value")
            raise yaml.constructor.ConstructorError(None, None, f"{quoted(node.value)} is no {kind}", node.start_mark) from error

    def construct_mapping(self, node, deep=False):
        """A mapping whose names are texts that stand once: of two values one would be read and the other not."""
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, str):
                raise yaml.constructor.ConstructorError(None, None, f"{quoted(name)} is no name", key.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{quoted(name)} stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


@functools.lru_cache(maxsize=8)  # a page reads its scenario once for each result
def _loaded(text):
    return yaml.load(text, Loader=_Loader)


def mapping(path):
    """The mapping in a file; :class:`NotYaml` says what is wrong with any other."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise NotYaml(f"is larger than {LARGEST:,} bytes")
        found = copy.deepcopy(_loaded(text.decode()))
    except OSError as error:
        raise NotYaml(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise NotYaml("cannot be read: it is not UTF-8 text") from error
    except RecursionError as error:
        raise NotYaml("is not YAML of parameters: its brackets or lists are nested too deep") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or "a character is not allowed").split())
        raise NotYaml(f"is not YAML{line}: {problem}") from error
    if not isinstance(found, dict):
        raise NotYaml("holds no `name: value` lines")
    return found
