"""The door to Ansible, which is run as a program and never imported: it is GPL, fleet is not."""
