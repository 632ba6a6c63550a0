"""The official formats of the papers' data sets, in small."""

import json
import shutil

import pytest

from mmvidadapt.apis.train.config import load_config
from mmvidadapt.datasets import CheckedVideoDataset
from mmvidadapt.datasets.prepare.published_datasets import (
    PAPERS,
    prepare_paper,
)
from tests.films import encode, film

LABELS = ('tasks', 'multi_class', 'num_classes')
CONFIGS = dict(
    k400='aim/vitb16_k400',
    k600='vivit/l16x2_fe_k600',
    k700='aim/vitb16_32f_k700',
    ssv2='aim/vitb16_ssv2',
    diving48='aim/vitb16_32f_diving48',
    hmdb51='dualpath/vitb16_hmdb51',
    charades='aim/vitb16_32f_charades',
    epic100='vjepa2/vitl16_16f_epic100',
)


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """Write one video, which every test calls as it needs."""
    return encode(tmp_path_factory.mktemp('clip') / 'clip.mp4', film())


@pytest.fixture
def place(clip, tmp_path):
    """Return a function that puts the video somewhere."""

    def put(*names):
        for name in names:
            target = tmp_path / 'src' / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clip, target)

    return put


def annotate(folder, **files):
    """Write annotation files; a dot is written as two underscores."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace('__', '.')).write_text(text)


def prepare(kind, tmp_path, **options):
    """Prepare a data set; return its reports and lists."""
    paper, out = PAPERS[kind], tmp_path / 'data' / PAPERS[kind].name
    reports = prepare_paper(paper, tmp_path / 'src', out, **options)
    lists = {}
    for report in reports:
        name = paper.list_name.format(name=paper.name, split=report.split)
        lists[report.split] = (out / name).read_text()
        assert len(lists[report.split].splitlines()) == report.listed
    return {report.split: report for report in reports}, lists


def fits(kind, tmp_path, monkeypatch):
    """Check that a config finds lists and videos from there."""
    monkeypatch.chdir(tmp_path)
    cfg = load_config(CONFIGS[kind])
    for split in ('train', 'val', 'test'):
        settings = cfg[f'{split}_dataloader'].dataset
        assert settings.type == 'CheckedVideoDataset'
        data = CheckedVideoDataset(
            settings.ann_file,
            [],
            data_prefix=settings.data_prefix,
            **{k: settings[k] for k in LABELS if k in settings},
            serialize_data=False,  # it collects garbage
        )
        for i in range(len(data)):
            with open(data.get_data_info(i)['filename'], 'rb') as file:
                assert len(file.read()) > 100


KINETICS = """label,youtube_id,time_start,time_end,split
"passing American football (in game)",-aB_cdEfGh1,7,17,train
air drumming,lost0000000,1,11,train
abseiling,zzzzzzzzzzz,0,10,train
"""


@pytest.mark.parametrize('kind', ['k400', 'k600', 'k700'])
def test_kinetics(kind, place, tmp_path, monkeypatch):
    annotate(
        tmp_path / 'src/annotations',
        train__csv=KINETICS,
        validate__csv='\ufefflabel,youtube_id,time_start,time_end,split,is_cc\n'
        '"""air drumming""",bad00000000,3,13,val,0\n'
        'abseiling,valvalvalva,130,140,val,1\n',
        test__csv='youtube_id,time_start,time_end,split\nx,1,11,test\n',
    )
    place(
        'videos_train/abseiling/zzzzzzzzzzz.mp4',
        'videos_train/passing American football (in game)/'
        '-aB_cdEfGh1_000007_000017.mp4',
        'videos_val/valvalvalva_000130_000140.mp4',
    )
    bad = tmp_path / 'src/videos_val/bad00000000_000003_000013.mp4'
    bad.write_text('404')
    other = tmp_path / 'src/videos_train/lost0000000_000001_000011.abc'
    other.write_text('of no known kind')
    reports, lists = prepare(kind, tmp_path)
    train, val = reports['train'], reports['val']
    assert str(train).startswith(
        'train: 2 of 3 videos (66.7%), 1 missing, 0 unreadable'
    )
    ((name, reason),) = train.lost
    assert name == 'lost0000000_000001_000011'
    assert reason == f'missing: {other.name} is there, no video is called so.'
    assert str(val).startswith('val: 1 of 2 videos (50.0%), 0 missing, 1 unr')
    assert 'not whole' not in str(val)  # nobody knows how many there are
    assert lists['train'].splitlines() == [
        'passing American football (in game)/-aB_cdEfGh1_000007_000017.mp4 2',
        'abseiling/zzzzzzzzzzz.mp4 0',
    ]
    assert lists['val'] == 'valvalvalva_000130_000140.mp4 0\n'
    name = PAPERS[kind].name
    out = tmp_path / 'data' / name
    assert (out / f'{name}_classes.txt').read_text() == (
        'abseiling\nair_drumming\npassing_American_football_(in_game)\n'
    )
    lost = (out / f'{name}_val_lost.txt').read_text()
    assert lost.startswith('bad00000000_000003_000013.mp4\t')
    fits(kind, tmp_path, monkeypatch)


def test_kinetics_says_which_line_is_wrong(place, tmp_path):
    annotate(tmp_path / 'src', train__csv=KINETICS, val__csv=KINETICS + 'a,b')
    with pytest.raises(ValueError, match=r'val\.csv, line 5: .*official for'):
        prepare('k400', tmp_path)
    new = KINETICS.replace('abseiling', 'new class')
    annotate(tmp_path / 'src', val__csv=new)
    with pytest.raises(ValueError, match=r"val\.csv, line 4: 'new_class'"):
        prepare('k400', tmp_path)
    annotate(tmp_path / 'src/k700', train__csv=KINETICS)
    with pytest.raises(ValueError, match='Several files.*--annotations'):
        prepare('k400', tmp_path)
    (tmp_path / 'none').mkdir()
    with pytest.raises(ValueError, match='There is no file .*--annotations'):
        prepare('k400', tmp_path, annotations=tmp_path / 'none')


@pytest.mark.parametrize('prefix', ['something-something-v2-', ''])
def test_sthv2(prefix, place, tmp_path, monkeypatch):
    labels = {'Folding something': '1', 'Approaching something': '0'}
    video = dict(id='78687', label='folding mat', placeholders=['mat'])
    video['template'] = 'Folding [something]'
    other = dict(id='2', template='Approaching [something]')
    files = {
        f'{prefix}labels.json': labels,
        f'{prefix}train.json': [video, dict(other, id='100')],
        f'{prefix}validation.json': [other],
        f'{prefix}test.json': [dict(id='5')],
    }
    annotate(tmp_path / 'labels', **files)
    place('78687.webm', '2.webm')
    options = dict(annotations=tmp_path / 'labels')
    reports, lists = prepare('ssv2', tmp_path, **options)
    assert lists == dict(train='78687.webm 1\n', val='2.webm 0\n')
    assert reports['train'].lost == [('100', 'missing.')]
    assert 'not whole: 168,913 videos' in str(reports['train'])
    fits('ssv2', tmp_path, monkeypatch)


def test_diving48(place, tmp_path, monkeypatch):
    vocabulary = [
        ['Back', '15som', '05Twis', 'FREE'],
        ['Back', '15som', '15Twis', 'FREE'],
    ]
    video = dict(vid_name='-8Vy3dlHg2w_00000', label=1, start_frame=0)
    test = dict(vid_name='Acr7ugTp8Eg_00001', label=0, end_frame=9)
    annotate(
        tmp_path / 'src',
        Diving48_vocab__json=vocabulary,
        Diving48_V2_train__json=[video],
        Diving48_V2_test__json=[test],
    )
    place('rgb/-8Vy3dlHg2w_00000.mp4', 'rgb/Acr7ugTp8Eg_00001.mp4')
    _, lists = prepare('diving48', tmp_path)
    assert lists['train'] == 'rgb/-8Vy3dlHg2w_00000.mp4 1\n'
    assert lists['val'] == 'rgb/Acr7ugTp8Eg_00001.mp4 0\n'
    classes = tmp_path / 'data/diving48/diving48_classes.txt'
    assert classes.read_text().splitlines()[1] == 'Back_15som_15Twis_FREE'
    fits('diving48', tmp_path, monkeypatch)


def test_hmdb51(place, tmp_path, monkeypatch):
    odd = '#20_Rhythm_clap_u_nm_np1_fr_goo_0'
    annotate(
        tmp_path / 'src/testTrainMulti_7030_splits',
        clap_test_split1__txt=f'{odd}.avi 1 \nboth_0.avi 2 \nnone.avi 0 \n',
        clap_test_split2__txt=f'{odd}.avi 2 \nboth_0.avi 0 \nnone.avi 1 \n',
        brush_hair_test_split1__txt='both_0.avi 1 \nlate.avi 2 \n',
        brush_hair_test_split2__txt='both_0.avi 2 \nlate.avi 1 \n',
    )
    place(f'clap/{odd}.avi', 'clap/both_0.avi', 'brush_hair/both_0.avi')
    place('brush_hair/late.avi')
    reports, lists = prepare('hmdb51', tmp_path)
    assert lists == dict(
        train_split_1=f'brush_hair/both_0.avi 0\nclap/{odd}.avi 1\n',
        val_split_1='brush_hair/late.avi 0\nclap/both_0.avi 1\n',
        train_split_2='brush_hair/late.avi 0\n',
        val_split_2=f'brush_hair/both_0.avi 0\nclap/{odd}.avi 1\n',
    )
    assert reports['train_split_2'].lost == [('clap/none', 'missing.')]
    assert '3,570 videos were published' in str(reports['train_split_1'])
    fits('hmdb51', tmp_path, monkeypatch)


def test_ucf101(place, tmp_path):
    name = 'HandstandPushups/v_HandStandPushups_g01_c01'
    annotate(
        tmp_path / 'src/ucfTrainTestlist',
        classInd__txt='1 ApplyEyeMakeup\n2 HandstandPushups\n',
        trainlist01__txt='ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\n',
        testlist01__txt=f'{name}.avi\n',
    )
    place('UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi')
    place(f'UCF-101/{name}.avi')
    _, lists = prepare('ucf101', tmp_path)
    assert lists == dict(
        train_split_1='UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi '
        '0\n',
        val_split_1=f'UCF-101/{name}.avi 1\n',
    )


def test_the_class_decides_between_files_of_one_name(place, tmp_path):
    annotate(tmp_path / 'src', train__csv=KINETICS, val__csv=KINETICS)
    place('wrong/zzzzzzzzzzz.mp4', 'x/abseiling/zzzzzzzzzzz.mp4')
    _, lists = prepare('k400', tmp_path)
    assert lists['train'] == 'x/abseiling/zzzzzzzzzzz.mp4 0\n'


def test_another_folder_is_not_taken_for_the_videos(place, tmp_path):
    annotate(tmp_path / 'src', train__csv=KINETICS, val__csv=KINETICS)
    (tmp_path / 'data/kinetics400/videos_val').mkdir(parents=True)
    with pytest.raises(ValueError, match=r'videos_val is there, but .*/src'):
        prepare('k400', tmp_path)


def test_videos_are_looked_at_once_and_as_closely_as_asked(
    clip, place, tmp_path
):
    annotate(tmp_path / 'src', train__csv=KINETICS, val__csv=KINETICS)
    place('zzzzzzzzzzz.mp4')
    data = bytearray(clip.read_bytes())
    middle = data.index(b'mdat') + len(data) // 2
    data[middle : middle + 400] = bytes(400)
    (tmp_path / 'src/lost0000000.mp4').write_bytes(data)
    listed = {
        level: prepare('k400', tmp_path, level=level)[0]['val'].listed
        for level in ('exists', 'open', 'decode')
    }
    assert listed == dict(exists=2, open=2, decode=1)


def test_epic_has_a_verb_a_noun_and_an_action(tmp_path, place, monkeypatch):
    place('P01/P01_01_0.mp4', 'P01/P01_01_1.mp4', 'P02/P02_01_0.mp4')
    head = 'narration_id,verb_class,noun_class\n'
    annotate(
        tmp_path / 'src',
        EPIC_100_verb_classes__csv='id,key\n0,take\n1,put\n',
        EPIC_100_noun_classes__csv='id,key\n0,cup\n1,lid\n',
        EPIC_100_train__csv=f'{head}P01_01_0,1,0\nP01_01_1,0,1\nP9,1,0\n',
        EPIC_100_validation__csv=f'{head}P02_01_0,0,0\n',
    )
    reports, lists = prepare('epic100', tmp_path)
    assert lists['train'] == 'P01/P01_01_0.mp4 1 0 2\nP01/P01_01_1.mp4 0 1 1\n'
    assert lists['val'] == 'P02/P02_01_0.mp4 0 0 0\n'
    assert [why for why, _ in reports['train'].lost] == ['P9']
    names = (tmp_path / 'data/epic100/epic100_classes.txt').read_text()
    assert names.split('\n')[:-1] == [
        *('action: take cup', 'action: take lid', 'action: put cup'),
        *('noun: cup', 'noun: lid', 'verb: take', 'verb: put'),
    ]
    fits('epic100', tmp_path, monkeypatch)


def test_charades_has_any_number_of_labels(tmp_path, place, monkeypatch):
    place('A1.mp4', 'B2.mp4', 'C3.mp4')
    annotate(
        tmp_path / 'src',
        Charades_v1_classes__txt='c000 Hold\nc001 Put\nc002 Sit\n',
        Charades_v1_train__csv='id,actions\nA1,c002 0 2;c000 1 2\nB2,\n',
        Charades_v1_test__csv='id,actions\nC3,c001 0 9\n',
    )
    _, lists = prepare('charades', tmp_path)
    assert lists == dict(train='A1.mp4 0 2\nB2.mp4 -1\n', val='C3.mp4 1\n')
    fits('charades', tmp_path, monkeypatch)
