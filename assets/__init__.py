"""Registrar's one app: a room per kind of asset, the same file names in every room.

    accounts        Organization, User, API tokens, passwords, second factors, signing in
    permissions     the Permissions value and the question "may X do Y with Z?"
    feed            Event: the news feed and audit trail
    uploads         files that are sent ahead of their form
    datasets        Dataset and DataSample: openers and data archives
    functions       Function with its inputs and outputs
    compute         ComputePlan and Task: ranks, statuses, the graph, dialects of older SDKs
    outputs         Model, Performance and failure reports: what work produced
    overview        the home page and the global search
    common          what every room uses and that knows no asset

Inside a room: `specs` (plain values) <- `rules` (pure checks) <- `models` <- `queries` and
`registration` (the only writer) <- `forms`, `serializers`, `filters`, `admin` <- `api`.
Between rooms: common <- accounts <- permissions <- feed, uploads <- datasets,
functions <- compute <- outputs <- overview. Never back; import-linter holds both.
"""
