import os

from django.core.wsgi import get_wsgi_application

from recobra.kit import database, file_modes
from recobra.kit.utf8_requests import read_as_utf8

file_modes.restrict_new_files()
file_modes.restrict_existing_files(database.data_dir())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recobra.config.settings")
application = read_as_utf8(get_wsgi_application())
