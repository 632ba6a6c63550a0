"""Configure and run a training.

Find, flatten and print configs (``config``, ``config_variables``), derive one
for own videos (``own_videos_config``) or another batch size (``schedule``),
apply the arguments of the tools (``options``), run mmaction2's tools
(``host_tools``), check the installation (``doctor``), measure memory
(``memory``).
"""
