"""What `import tokenecon` offers: documented, light, and true to its examples."""

import doctest
import inspect
import subprocess
import sys

import tokenecon


def test_examples_run():
    found = doctest.testmod(tokenecon)
    assert found.attempted >= 3 and found.failed == 0


def test_everything_public_is_documented_and_typed():
    for name in tokenecon.__all__:
        one = getattr(tokenecon, name)
        assert inspect.getdoc(one), f"tokenecon.{name} has no docstring"
        if inspect.isfunction(one):
            signature = inspect.signature(one)
            kinds = [signature.return_annotation, *(part.annotation for part in signature.parameters.values())]
            assert inspect.Signature.empty not in kinds, f"tokenecon.{name} lacks a type"


def test_importing_loads_no_library():
    program = "import sys; import tokenecon; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "scipy", "pydantic", "typer", "yaml"} & set(loaded)
