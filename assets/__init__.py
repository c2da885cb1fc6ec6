"""Registrar's one app: a room per kind of asset, the same file names in every room.

    accounts        Organization, User, API tokens, passwords, second factors, signing in
    permissions     the Permissions value and the question "may X do Y with Z?"
    feed            Event: the news feed and audit trail
    uploads         files staged for a form that is not submitted yet
    datasets        Dataset and DataSample: openers and data archives
    functions       Function with its inputs and outputs
    imports         many datasets, functions and data samples at once, from lists
    compute         ComputePlan, Task and what tasks make: Model, Performance, failure reports
    execution       running it: runners' jobs, approvals and dry runs
    runner          the program on an organisation's machine; it imports no other room
    overview        the home page and the global search
    common          what every room uses and that knows no asset

Inside a room: `specs` (plain values) <- `rules` (pure checks) <- `models` <- `queries` and
`registration` (the only writer) <- `forms`, `serializers`, `filters`, `tables` <- `pages`, `api`,
`admin`.
`compute`, the largest room, has a package for each: `registration` (with its rules), `queries`,
`api`, `pages`, and `plan_editor`, where plans are built in the browser.
Between rooms: common <- accounts <- permissions <- feed, uploads <- datasets,
functions <- compute, imports <- execution <- overview. Never back; import-linter holds both.
"""
