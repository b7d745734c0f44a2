"""What loading costs: `import jido_jupyter` beyond a bare interpreter, and `%load_ext jido_jupyter` in a kernel.

Medians of ten whole processes and of five kernels; run it with the project's Python: ``python bench/startup.py``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.kernels import running

LOAD = """
import time
started = time.perf_counter()
get_ipython().run_line_magic("load_ext", "jido_jupyter")
print((time.perf_counter() - started) * 1000)
"""


def process_ms(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - started) * 1000


def load_ms() -> float:
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as kernel:
        return float(kernel.run(LOAD).text)


def main() -> None:
    pairs = [process_ms("import jido_jupyter") - process_ms("pass") for _ in range(10)]
    print(f"import jido_jupyter, beyond the interpreter: {statistics.median(pairs):.1f} ms (target: 60)")
    print(f"%load_ext jido_jupyter in a kernel: {statistics.median(load_ms() for _ in range(5)):.1f} ms (target: 150)")


if __name__ == "__main__":
    main()
