"""Prepare videos as they lie on a disk: check, split, list, transcode.

Own videos (``own_videos``) come as folders (``video_folders``), tables
(``csv_table``) or folders of frames (``frame_folders``); published data sets
(``published_datasets``) with their official annotations.
"""
