"""How papermill starts a kernel here: this interpreter, its own sockets, nobody's settings."""

import ast
import os
import sys
import tempfile

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines

ENGINE = "tokenecon"

# Asked of the kernel when the notebook is done; an expression, so that it leaves no cell behind. Its answer is a text,
# because IPython cuts a list of more than a thousand when it prints one, and a page on all accelerators asks more.
USED = (
    "repr({'modules': sorted(m for m in __import__('sys').modules if m.split('.')[0] in ('tokenecon', 'tokenecon_book')),"
    " 'queries': [tuple(q) for q in getattr(__import__('sys').modules.get('tokenecon.queries'), 'made', tuple)()]})"
)

# A kernel ends when its parent does.  ipykernel watches too, but only once it is up, and a parent that was killed before that is
# not missed where orphans go to another process than the first (a user's session manager, say).
LAUNCH = """
import sys
sys.path[:] = filter(None, sys.path)  # a file beside the notebook is no module of Python's
import os, threading, time

def watch(parent=int(os.environ["JPY_PARENT_PID"])):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

threading.Thread(target=watch, daemon=True).start()
sys.modules["rfc3987_syntax"] = None  # as notebooks.skip_grammar
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""


# Said to the kernel before the first cell, so that it reckons with the facts and the calibration of who asked for the run.
OWN = "__import__('tokenecon').{what}({path!r})"


class ThisInterpreter(KernelSpecManager):
    """One kernel: the interpreter that runs this, whatever kernelspecs the machine has."""

    def get_kernel_spec(self, kernel_name):
        """The command of an ipykernel on this interpreter."""
        argv = [sys.executable, "-c", LAUNCH, "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python", display_name="Python 3")


class Client(PapermillNotebookClient):
    """Papermill's client, with a callback before each cell, a word about the facts before, and a question at the end."""

    def __init__(self, manager, *, scratch, on_cell, used, facts, **settings):
        super().__init__(manager, **settings)
        self.scratch, self.on_cell, self.used, self.facts = scratch, on_cell, used, facts

    def create_kernel_manager(self):
        """A kernel whose sockets are files in a folder of its own: no port is taken twice."""
        self.km = AsyncKernelManager(
            transport="ipc",
            connection_file=os.path.join(self.scratch, "k.json"),
            kernel_spec_manager=ThisInterpreter(),
            kernel_name=self.kernel_name,
        )
        return self.km

    def papermill_execute_cells(self):
        """Run the cells as papermill does, then learn what the kernel used."""
        for what, path in self.facts.items():
            if path is not None:
                self._asked(OWN.format(what=what, path=path), f"cannot read the {what}")
        super().papermill_execute_cells()
        outputs = (output for cell in self.nb.cells for output in cell.get("outputs", ()))
        if any(output.output_type == "error" for output in outputs):
            return
        self.used.update(ast.literal_eval(ast.literal_eval(self._asked(USED, "cannot say what it used"))))
        self.on_cell(len(self.nb.cells), len(self.nb.cells))

    def _asked(self, expression, failure):
        """The value of an expression in the kernel, as text; it leaves no cell behind."""
        question = self.kc.execute("", silent=True, store_history=False, user_expressions={"it": expression})
        answer = self.wait_for_reply(question)["content"]["user_expressions"]["it"]
        if answer["status"] != "ok":
            raise RuntimeError(f"the kernel {failure}: {answer['evalue']}")
        return answer["data"]["text/plain"]

    def execute_cell(self, cell, cell_index, *rest, **settings):
        """Run one cell, after saying so."""
        self.on_cell(cell_index, len(self.nb.cells))
        return super().execute_cell(cell, cell_index, *rest, **settings)


class TokeneconEngine(Engine):
    """What ``engine_name="tokenecon"`` means to papermill."""

    @classmethod
    def execute_managed_notebook(
        cls, manager, kernel_name, *, on_cell, used, facts, resources, execution_timeout, start_timeout=60, **_log
    ):
        """Run the notebook that papermill has parameterised."""
        with tempfile.TemporaryDirectory(prefix="tok-") as scratch:
            client = Client(
                manager,
                scratch=scratch,
                on_cell=on_cell or (lambda done, total: None),
                used=used,
                facts=facts,
                resources=resources,
                timeout=execution_timeout,
                startup_timeout=start_timeout,
                kernel_name=kernel_name,
                shutdown_kernel="immediate",
                record_timing=False,
            )
            # A user's IPython start-up files and hash seed must not reach a page.
            own = {"IPYTHONDIR": scratch, "PYTHONHASHSEED": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
            return client.execute(env=os.environ | own)


papermill_engines.register(ENGINE, TokeneconEngine)
