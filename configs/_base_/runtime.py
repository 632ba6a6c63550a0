# Imported by any mmaction2 tool, so that a flat copy of a config needs nothing
# but the installed package.
custom_imports = dict(imports=['mmvidadapt'], allow_failed_imports=False)
default_scope = 'mmaction'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='WholeCheckpointHook',
        interval=1,
        save_best='auto',
        max_keep_ckpts=3,
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),
)
custom_hooks = [
    dict(type='TrainedParamsHook'),
    dict(type='NonFiniteLossHook'),
    dict(type='EpochSeedHook'),
    dict(type='CpuProductsHook'),
    dict(type='StrictLoadHook'),
    dict(type='AdapterCheckpointHook'),
    dict(type='BadVideosHook'),
    dict(type='NameCrashHook'),
    dict(type='ManifestHook'),
    dict(type='InterruptHook'),
    dict(type='ResumeHook'),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='ActionVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
