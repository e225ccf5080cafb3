"""What :mod:`annotator.training` says: training and the gate."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "training_under_way": (
        "本站点已有一次训练在进行（{id}）；等它结束，或先取消它",
        "A training of this site is under way ({id}); wait for its end or cancel it first",
        "このサイトでは学習が進行中です（{id}）。終わるのを待つか、先に取り消してください",
    ),
    "training_ended": (
        "这次训练已经结束（{state}）",
        "This training has ended ({state})",
        "この学習は既に終わっています（{state}）",
    ),
    "training_not_so": (
        "训练处于“{state}”，不能“{action}”；请刷新",
        "The training is {state}; it cannot {action} now. Reload the page",
        "学習は「{state}」の状態で「{action}」できません。再読み込みしてください",
    ),
    "training_died": (
        "连续 {attempts} 次都没能完成一轮，进程每次都中途退出；多半是内存不足，请看日志后重试",
        "{attempts} attempts ended with their process before one epoch was done, most likely for want of "
        "memory; see the log, then retry",
        "{attempts} 回とも 1 "
        "エポックを終える前にプロセスが止まりました。メモリ不足の可能性があります。ログを確認して再試行してください",
    ),
    "training_not_installed": (
        "本机是轻量安装，没有 torch，不能训练；请不带 LIGHT=1 运行 make run，或在装有 torch 的机器上运行 train 队列",
        "This is a light installation without torch, which training needs: run make run without LIGHT=1, "
        "or serve the queue train on a machine that has it",
        "軽量インストールのため torch がなく学習できません。LIGHT=1 なしで make run するか、torch のある"
        "機械で train キューを動かしてください",
    ),
    "training_no_disk": (
        "{folder} 所在磁盘只剩 {free_mb} MB，训练至少需要 {need_mb} MB；请腾出空间后重试",
        "Only {free_mb} MB are free on the disk of {folder}; training needs {need_mb} MB. Free some "
        "space, then retry",
        "{folder} のディスクの空きは {free_mb} MB だけです。学習には {need_mb} MB "
        "必要です。空きを作って再試行してください",
    ),
    "training_no_memory": (
        "可用内存只有 {free_mb} MB，训练至少需要 {need_mb} MB；请关闭别的程序后重试",
        "Only {free_mb} MB of memory can be had; training needs {need_mb} MB. Stop something else, then retry",
        "使えるメモリは {free_mb} MB だけです。学習には {need_mb} MB 必要です。他のプログラムを止めて再試"
        "行してください",
    ),
    "training_child_failed": (
        "训练程序以状态 {status} 退出：{tail}",
        "The trainer ended with status {status}: {tail}",
        "学習プログラムが状態 {status} で終了しました：{tail}",
    ),
    "training_broke": (
        "训练出错：{detail}",
        "The training broke: {detail}",
        "学習でエラーが発生しました：{detail}",
    ),
    "training_no_answers": (
        "没有得到留出照片的逐张结果（{file}），无法比较",
        "There are no answers to the photos held out ({file}), so nothing can be compared",
        "検証写真の結果（{file}）がなく、比較できません",
    ),
    "training_bad_answers": (
        "逐张结果读不懂（{file}）：{detail}",
        "The answers cannot be read ({file}): {detail}",
        "結果を読めません（{file}）：{detail}",
    ),
    "training_no_report": (
        "训练程序没有写出报告 report.json",
        "The trainer wrote no report.json",
        "学習プログラムが report.json を書き出していません",
    ),
    "snapshot_not_usable": (
        "快照 {id} 还没有做好，或不属于此项目",
        "Snapshot {id} is not made yet, or is not of this project",
        "スナップショット {id} はまだ完成していないか、このプロジェクトのものではありません",
    ),
    "unknown_time_zone": (
        "没有“{name}”这个时区，例如 Asia/Shanghai",
        "There is no time zone {name}; one is Asia/Shanghai",
        "タイムゾーン「{name}」はありません。例：Asia/Shanghai",
    ),
    "gate_no_photos": (
        "没有留出的照片可供比较",
        "There are no photos held out to compare on",
        "比較できる検証写真がありません",
    ),
    "gate_few_photos": (
        "只有 {photos} 张留出照片，至少要 {needed} 张（并来自足够多的场景）才能判断",
        "Only {photos} photos are held out; it takes {needed}, of enough scenes, to tell",
        "検証写真が {photos} 枚しかありません。判断には十分な場面の {needed} 枚が必要です",
    ),
    "gate_better": (
        "整条正确率 {champion}% → {challenger}%，差的 95% 区间 {low} 至 {high} 个百分点，高于 {margin}",
        "Whole captions right: {champion}% → {challenger}%; the difference is {low} to {high} points "
        "(95%), above {margin}",
        "全項目正解率 {champion}% → {challenger}%、差の 95% 区間は {low}〜{high} ポイントで {margin} を上回ります",
    ),
    "gate_not_better": (
        "整条正确率 {champion}% → {challenger}%，差的 95% 区间 {low} 至 {high} 个百分点，下端不高于 {margin}",
        "Whole captions right: {champion}% → {challenger}%; the difference is {low} to {high} points "
        "(95%), whose lower end is not above {margin}",
        "全項目正解率 {champion}% → {challenger}%、差の 95% 区間は {low}〜{high} ポイントで、下端が "
        "{margin} を上回りません",
    ),
    "gate_fell_field": (
        "字段 {key} 由 {champion}% 降到 {challenger}%，降 {fall} 个百分点，最多允许 {allowed}",
        "Field {key} fell from {champion}% to {challenger}%: by {fall} points, where {allowed} are allowed",
        "フィールド {key} が {champion}% から {challenger}% に {fall} ポイント低下（許容 {allowed}）",
    ),
    "gate_fell_category": (
        "品类 {key}（{photos} 张）由 {champion}% 降到 {challenger}%，降 {fall} 个百分点，最多允许 {allowed}",
        "Category {key} ({photos} photos) fell from {champion}% to {challenger}%: by {fall} points, "
        "where {allowed} are allowed",
        "品類 {key}（{photos} 枚）が {champion}% から {challenger}% に {fall} ポイント低下（許容 {allowed}）",
    ),
    "gate_fell_camera": (
        "{key} 视角（{photos} 张）由 {champion}% 降到 {challenger}%，降 {fall} 个百分点，最多允许 {allowed}",
        "View {key} ({photos} photos) fell from {champion}% to {challenger}%: by {fall} points, where "
        "{allowed} are allowed",
        "視点 {key}（{photos} 枚）が {champion}% から {challenger}% に {fall} ポイント低下（許容 {allowed}）",
    ),
    "gate_fell_tail": (
        "少见 SKU（{photos} 张）由 {champion}% 降到 {challenger}%，降 {fall} 个百分点，最多允许 {allowed}",
        "Rarer SKUs ({photos} photos) fell from {champion}% to {challenger}%: by {fall} points, where "
        "{allowed} are allowed",
        "少数の SKU（{photos} 枚）が {champion}% から {challenger}% に {fall} ポイント低下（許容 {allowed}）",
    ),
    "gate_fell_gold": (
        "金标准照片（{photos} 张）由 {champion}% 降到 {challenger}%，降 {fall} 个百分点，最多允许 {allowed}",
        "Gold ({photos} photos) fell from {champion}% to {challenger}%: by {fall} points, where {allowed}"
        " are allowed",
        "ゴールド（{photos} 枚）が {champion}% から {challenger}% に {fall} ポイント低下（許容 {allowed}）",
    ),
    "gate_asks": (
        "已通过；本站点设为由人上线",
        "It passed; on this site a person promotes",
        "合格しました。このサイトでは人が公開します",
    ),
}
