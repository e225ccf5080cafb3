"""What :mod:`annotator.labeling` says: labeling."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "stale_token": (
        "这张任务已不在你手上（租约已换）。你填的内容还在本页，可取下一张",
        "You no longer hold this task (its lease moved on). Your entries stay on the page; take the next task",
        "このタスクの担当は既に移りました。入力内容はページに残ります。次のタスクへ進んでください",
    ),
    "lease_expired": (
        "租约已过期，任务已放回队列；请取下一张",
        "The lease expired and the task went back to the queue; take the next one",
        "担当期限が切れ、タスクはキューに戻りました",
    ),
    "task_not_open": (
        "任务当前为“{state}”，不能{action}",
        "The task is {state}; it cannot be changed by “{action}”",
        "タスクの状態は {state} です。{action} はできません",
    ),
    "too_late": (
        "已超过 {seconds} 秒，或复核员已处理，不能撤回",
        "More than {seconds} s have passed or a reviewer has acted; it cannot be withdrawn",
        "{seconds} 秒を過ぎたか、確認済みのため取り消せません",
    ),
    "suggestion_not_due": (
        "建议还没到显示的时候；请先自己填写",
        "The suggestion is not due yet; begin on your own",
        "提案はまだ表示できません。先に入力してください",
    ),
    "no_delayed_suggestion": (
        "本张没有稍后显示的建议；请独立填写",
        "No suggestion comes later on this one; answer on your own",
        "この写真に後から出る提案はありません。独自に入力してください",
    ),
    "own_answer": (
        "你标注过这张，不能由你仲裁",
        "You labeled this task yourself; another reviewer must decide it",
        "自分が付けたタスクは裁定できません",
    ),
    "unknown_field": (
        "没有这个字段：{key}",
        "There is no such field: {key}",
        "そのような項目はありません：{key}",
    ),
    "bad_box": (
        "第 {n} 个框不在图内或没有面积",
        "Box {n} lies outside the picture or has no area",
        "{n} 番目の枠が画像の外か、面積がありません",
    ),
    "boxes_required": (
        "本项目要求至少画一个框",
        "This project wants at least one box",
        "このプロジェクトでは枠が一つ以上必要です",
    ),
    "bad_attribute": (
        "属性 {key} 的值无效：{value}",
        "Attribute {key} has a bad value: {value}",
        "属性 {key} の値が無効です：{value}",
    ),
    "paused": (
        "你在这个项目的标注已暂停：{reason}",
        "You are paused in this project: {reason}",
        "このプロジェクトでの作業は一時停止中です：{reason}",
    ),
    "project_archived": (
        "项目已归档，不再收任务；请先恢复",
        "The project is archived and takes no tasks; restore it first",
        "プロジェクトはアーカイブ済みです。先に復元してください",
    ),
    "batch_unknown": (
        "这个项目没有批次“{name}”",
        "The project has no batch {name}",
        "このプロジェクトにバッチ「{name}」はありません",
    ),
    "batch_of_other_project": (
        "批次 {batch} 不属于这个项目",
        "Batch {batch} does not belong to this project",
        "バッチ {batch} はこのプロジェクトのものではありません",
    ),
    "name_taken": (
        "“{name}”已经用过，请换一个名称",
        "{name} is taken; choose another name",
        "「{name}」は既に使われています",
    ),
    "model_refused": (
        "识别服务不能载入 {name}：{detail}",
        "The recognizer cannot load {name}: {detail}",
        "認識サービスが {name} を読み込めません：{detail}",
    ),
}
