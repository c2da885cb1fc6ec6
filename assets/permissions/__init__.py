"""Who may use what: the Permissions value, and the one place that decides.

"Permission" is what an organisation may do with an asset; "role" is what a user may do in its own
organisation. No one bypasses an organisation's permissions: a platform superuser sees every row,
and downloads only as a member of an organisation.
"""
