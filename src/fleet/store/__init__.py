"""The database: tables, migrations, and the translation between rows and core values.

`reader` needs nothing but a driver, so that looking things up stays light; `store` writes
through SQLAlchemy. Neither lets a row leave the room.
"""
