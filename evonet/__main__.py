"""`python -m evonet` is `evonet`."""

from evonet.cli import main

raise SystemExit(main())
