import sys

from recobra.cli.main import main

sys.exit(main())
