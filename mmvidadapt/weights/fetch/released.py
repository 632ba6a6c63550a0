"""List where published weights lie: data only.

Hashes are published ones, and absent where nobody published any.
"""

from typing import Dict

from mmvidadapt.utils.hub_file import HubFile

from .download import Source


def _openai(name: str, sha256: str, size: int) -> Source:
    """Describe an OpenAI archive; the hash is part of its address."""
    url = f'https://openaipublic.azureedge.net/clip/models/{sha256}/{name}.pt'
    return Source(url, sha256, size, 'MIT', f'OpenAI CLIP {name}')


def _aim(file_id: str, note: str) -> Source:
    """Describe a released AIM checkpoint."""
    url = f'https://drive.google.com/file/d/{file_id}/view'
    return Source(
        url, None, None, 'Apache-2.0', f'official AIM, {note}', by_hand=True
    )


def _evl(note: str) -> Source:
    """Describe a released EVL checkpoint; the page has links to Drive."""
    url = 'https://github.com/OpenGVLab/efficient-video-recognition'
    note = f'official EVL, decoder and classifier, {note}'
    return Source(url, None, None, 'none stated', note, by_hand=True)


def _bevt(file_id: str, note: str) -> Source:
    """Describe a released BEVT checkpoint."""
    url = f'https://drive.google.com/file/d/{file_id}/view'
    return Source(
        url, None, None, 'Apache-2.0', f'official BEVT, {note}', by_hand=True
    )


def _timm(name: str, sha256: str, size: int, note: str) -> Source:
    """Describe a ViT of Google's that timm converted."""
    url = (
        'https://github.com/rwightman/pytorch-image-models/releases/download/'
        f'v0.1-vitjx/{name}-{sha256}.pth'
    )
    return Source(url, sha256, size, 'Apache-2.0', note)


def _scenic(path: str, note: str) -> Source:
    """Describe a checkpoint of scenic: flax, with the optimizer's state."""
    url = f'https://storage.googleapis.com/scenic-bucket/{path}'
    return Source(url, None, None, 'Apache-2.0', f'scenic, {note}')


def _hugging_face(name: str, note: str) -> Source:
    """Describe a ViViT on the Hugging Face Hub."""
    url = f'https://huggingface.co/{name}/resolve/main/pytorch_model.bin'
    return Source(url, None, 339, 'MIT', note)


def _vjepa(name: str, note: str) -> Source:
    """Describe a V-JEPA 2 on the Hub, with its probe and classifier."""
    hub = HubFile(f'facebook/vjepa2-{name}', ('model.safetensors',))
    note = f'V-JEPA 2 and its attentive probe, {note}'
    return Source(hub.urls[0], licence='MIT', note=note, hub=hub)


def _dalle(part: str) -> Source:
    """Describe a module of DALL-E's discrete VAE."""
    url = f'https://cdn.openai.com/dall-e/{part}.pkl'
    return Source(url, None, None, 'Modified MIT', f"DALL-E's {part}")


def _generator(name: str, licence: str) -> Source:
    """Describe a target generator that mmpretrain's configs use."""
    url = 'https://download.openmmlab.com/mmselfsup/1.x/target_generator_ckpt'
    note = f'{name} as mmpretrain publishes it'
    return Source(f'{url}/{name}.pth', None, None, licence, note)


SOURCES: Dict[str, Source] = {
    'openai/ViT-B-32': _openai(
        'ViT-B-32',
        '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
        338,
    ),
    'openai/ViT-B-16': _openai(
        'ViT-B-16',
        '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f',
        335,
    ),
    'openai/ViT-L-14': _openai(
        'ViT-L-14',
        'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836',
        890,
    ),
    'openai/ViT-L-14-336px': _openai(
        'ViT-L-14-336px',
        '3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02',
        891,
    ),
    # Known to timm as vit_{base,large}_patch16_224.orig_in21k[_ft_in1k].
    'timm/jx_vit_base_p16_224': _timm(
        'jx_vit_base_p16_224',
        '80ecf9dd',
        330,
        'ViT-B/16, ImageNet-21k, fine-tuned on ImageNet-1k',
    ),
    'timm/jx_vit_base_patch16_224_in21k': _timm(
        'jx_vit_base_patch16_224_in21k',
        'e5005f0a',
        394,
        'ViT-B/16, ImageNet-21k',
    ),
    'timm/jx_vit_large_patch16_224_in21k': _timm(
        'jx_vit_large_patch16_224_in21k',
        '606da67d',
        1246,
        'ViT-L/16, ImageNet-21k',
    ),
    'microsoft/swin_base_patch4_window7_224_22k': Source(
        'https://github.com/SwinTransformer/storage/releases/download/'
        'v1.0.0/swin_base_patch4_window7_224_22k.pth',
        None,
        418,
        'MIT',
        'Swin-B, ImageNet-22k',
    ),
    'microsoft/swin_base_patch4_window7_224': Source(
        'https://github.com/SwinTransformer/storage/releases/download/'
        'v1.0.0/swin_base_patch4_window7_224.pth',
        licence='MIT',
        note='Swin-B, ImageNet-1k, supervised',
    ),
    # Tokenizers of BEVT; OpenAI's files are pickled modules.
    'dalle/encoder': _dalle('encoder'),
    'dalle/decoder': _dalle('decoder'),
    'openmmlab/dalle_encoder': _generator('dalle_encoder', 'Modified MIT'),
    'openmmlab/vqkd_encoder': _generator('vqkd_encoder', 'MIT'),
    'aim/vitb16_k400': _aim(
        '1oRmpP47Z6jWq4NHEpONNGAeKgDTFVNEO', 'ViT-B/16, 8 frames, K400'
    ),
    'aim/vitb16_16f_k400': _aim(
        '1QuCjDcQUNVyH8_LBjITQMUGIehogb_k8', 'ViT-B/16, 16 frames, K400'
    ),
    'aim/vitb16_32f_k400': _aim(
        '1hwlxj51naOpY2WG9FosX45voQgpUbEn4', 'ViT-B/16, 32 frames, K400'
    ),
    'aim/vitl14_k400': _aim(
        '1pR6n2UxA3zJsWjAJhTJXJqaPEJYYfBOQ', 'ViT-L/14, 8 frames, K400'
    ),
    'aim/vitl14_16f_k400': _aim(
        '1X7lqRYTbyMfO3L0zZXACEdIm21NU4Soc', 'ViT-L/14, 16 frames, K400'
    ),
    'aim/vitl14_32f_k400': _aim(
        '1W1v53x8FAiVBTkAB0pIUUQUF-6hN_y2J', 'ViT-L/14, 32 frames, K400'
    ),
    'aim/vitb16_32f_k700': _aim(
        '1XG1BL81jx9ibJz7HNY8ZPke84FnIkbqz', 'ViT-B/16, 32 frames, K700'
    ),
    'aim/vitb16_32f_diving48': _aim(
        '1YMEWV8HM0v1hkq3-35gNGjh_DMDeC-cn', 'ViT-B/16, 32 frames, Diving48'
    ),
    'evl/vitb16_k400': _evl('ViT-B/16, 8 frames, K400'),
    'evl/vitb16_16f_k400': _evl('ViT-B/16, 16 frames, K400'),
    'evl/vitb16_32f_k400': _evl('ViT-B/16, 32 frames, K400'),
    'evl/vitl14_k400': _evl('ViT-L/14, 8 frames, K400'),
    'evl/vitl14_16f_k400': _evl('ViT-L/14, 16 frames, K400'),
    'evl/vitl14_32f_k400': _evl('ViT-L/14, 32 frames, K400'),
    'bevt/swinb_in1k': _bevt(
        '1VHKAH9YA_VD8M8bfGp2Svreqv0iuikB6', 'Swin-B, image stream'
    ),
    'bevt/swinb_in1k_k400': _bevt(
        '13pMnG1ylyyKmhx5MKNZvqe7jHtPMY9cy', 'Swin-B, both streams'
    ),
    'scenic/ViT_B_16_ImageNet1k': _scenic(
        'baselines/ViT_B_16_ImageNet1k', 'ViT-B/16, ImageNet-1k'
    ),
    'scenic/ViT_B_16_ImageNet21k': _scenic(
        'baselines/ViT_B_16_ImageNet21k', 'ViT-B/16, ImageNet-21k'
    ),
    'scenic/ViT_L_16_ImageNet21k': _scenic(
        'baselines/ViT_L_16_ImageNet21k', 'ViT-L/16, ImageNet-21k'
    ),
    'vivit/b16x2_k400': _scenic(
        'vivit/kinetics_400/vivit_base_16x2_unfactorized/checkpoint',
        'ViViT-B/16x2, model 1, K400',
    ),
    'vivit/b16x2_fe_k400': _scenic(
        'vivit/kinetics_400/vivit_base_16x2_fe/checkpoint',
        'ViViT-B/16x2, model 2, K400',
    ),
    'vivit/l16x2_fe_k400': _scenic(
        'vivit/kinetics_400/vivit_large_16x2_fe/checkpoint',
        'ViViT-L/16x2, model 2, K400',
    ),
    'vivit/l16x2_fe_k600': _scenic(
        'vivit/kinetics_600/vivit_large_16x2_fe/checkpoint',
        'ViViT-L/16x2, model 2, K600',
    ),
    'vivit/l16x2_fe_epic': _scenic(
        'vivit/epic_kitchens/vivit_large_16x2_fe/checkpoint',
        'ViViT-L/16x2, model 2, EPIC-Kitchens',
    ),
    'google/vivit-b-16x2-kinetics400': _hugging_face(
        'google/vivit-b-16x2-kinetics400', 'ViViT-B/16x2, model 1, K400'
    ),
    'google/vivit-b-16x2': _hugging_face(
        'google/vivit-b-16x2', 'ViViT-B/16x2, model 1'
    ),
    **{
        f'facebook/vjepa2-{name}': _vjepa(name, note)
        for name, note in (
            ('vitl-fpc16-256-ssv2', 'ViT-L/16, 16 frames, SSv2'),
            ('vitg-fpc64-384-ssv2', 'ViT-g/16, 64 frames, SSv2'),
            ('vitl-fpc32-256-diving48', 'ViT-L/16, 32 frames, Diving48'),
            ('vitg-fpc32-384-diving48', 'ViT-g/16, 32 frames, Diving48'),
        )
    },
}

# Models whose released weights have a name of their own.
SAME: Dict[str, str] = {
    'bevt/pretrain_swinb_in1k': 'bevt/swinb_in1k',
    'bevt/pretrain_swinb_in1k_k400': 'bevt/swinb_in1k_k400',
    'vjepa2/vitl16_16f_ssv2': 'facebook/vjepa2-vitl-fpc16-256-ssv2',
    'vjepa2/vitl16_32f_diving48': 'facebook/vjepa2-vitl-fpc32-256-diving48',
}
