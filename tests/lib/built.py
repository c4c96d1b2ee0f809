"""What a test needs to have been built. Without it the test is skipped; under `make check` it fails."""
import os

import pytest


def need_built(*programs):
    """In a fixture or a test, or at the head of a file for all of its tests."""
    missing = [str(program) for program in programs if not program.exists()]
    if not missing:
        return
    reason = f"not built: {', '.join(missing)}"
    if os.environ.get("L2TPV3D_MUST_BE_BUILT"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
