"""Django's own command line, for developers; users run `recobra`."""

import os
import sys

if __name__ == "__main__":
    from recobra.kit.file_modes import restrict_new_files

    restrict_new_files()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recobra.config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
