"""What Registrar is made of: settings, URLs, and how it is served."""

import os

# Before anything is written, by whatever is started: password hashes and files of all organisations
# are for the user that runs the server, and for no other user of the machine.
os.umask(0o077)
