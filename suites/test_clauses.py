"""Every clause of the chosen suite on every chosen backend, one test item each.

`python -m pytest --pyargs tenet.suites --backend cpu --suite core`
"""

from tenet.harness.plugin import Conformance

conformance = Conformance()
