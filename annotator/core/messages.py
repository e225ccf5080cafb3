"""What WareVision says to people, by code, in the three languages of its users.

One table, so that an error reads the same from the browser, the API and a command. A message says
what is wrong, where, and how to mend it.
"""

from __future__ import annotations

from django.utils.translation import get_language

_TABLE: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "not_authenticated": ("请先登录", "Sign in first", "ログインしてください"),
    "bad_credentials": (
        "用户名或密码不对",
        "The user name or the password is wrong",
        "ユーザー名かパスワードが違います",
    ),
    "permission_denied": (
        "你的角色不能做这一步，请找站点管理员",
        "Your role does not allow this; ask an admin of the site",
        "この操作の権限がありません。サイト管理者に連絡してください",
    ),
    "csrf_failed": (
        "页面已过期，请刷新后再试",
        "The page is out of date; reload it and try again",
        "ページが古くなっています。再読み込みしてください",
    ),
    "not_found": ("没有找到，可能已删除", "Not found; it may have been deleted", "見つかりません"),
    "method_not_allowed": (
        "此地址不支持 {method}",
        "This address does not support {method}",
        "このアドレスは {method} に対応していません",
    ),
    "throttled": (
        "请求太频繁，{seconds} 秒后再试",
        "Too many requests; try again in {seconds} s",
        "リクエストが多すぎます。{seconds} 秒後に再試行してください",
    ),
    "payload_too_large": (
        "请求太大：最多 {limit_mb} MB",
        "The request is too large: at most {limit_mb} MB",
        "リクエストが大きすぎます（最大 {limit_mb} MB）",
    ),
    "bad_request": (
        "请求无法读懂：{detail}",
        "The request cannot be read: {detail}",
        "リクエストを読めません：{detail}",
    ),
    "server_error": (
        "服务器出错，已记录；请稍后再试",
        "The server made a mistake, which is logged; try again later",
        "サーバーエラーが発生しました。後で再試行してください",
    ),
    "invalid": (
        "有 {count} 处需要修改",
        "{count} places need mending",
        "{count} か所を直してください",
    ),
    "edit_conflict": (
        "别人刚刚改过，请刷新后再改",
        "Somebody changed this in the meantime; reload and edit again",
        "他の人が変更しました。再読み込みしてください",
    ),
    "idempotency_mismatch": (
        "同一个 Idempotency-Key 用于不同的内容，请换一个新的键",
        "This Idempotency-Key was used for other content; use a new key",
        "同じ Idempotency-Key が別の内容に使われました。新しいキーを使ってください",
    ),
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
    "claimed": (
        "{who} 正在处理这一张，请先看别的",
        "{who} is working on this one; take another",
        "{who} が処理中です。別のものを選んでください",
    ),
    "own_answer": (
        "你标注过这张，不能由你仲裁",
        "You labeled this task yourself; another reviewer must decide it",
        "自分が付けたタスクは裁定できません",
    ),
    "conflict": (
        "与现有数据冲突：{detail}",
        "Conflicts with existing data: {detail}",
        "既存データと矛盾します：{detail}",
    ),
    "recognizer_unavailable": (
        "识别服务暂不可用，请稍后再试",
        "The recognizer is not available; try again shortly",
        "認識サービスが利用できません。後で再試行してください",
    ),
    "recognizer_busy": (
        "识别服务繁忙，请稍后再试",
        "The recognizer is busy; try again shortly",
        "認識サービスが混雑しています。後で再試行してください",
    ),
    "required": ("必填", "Required", "必須です"),
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
    "sku_not_in_catalog": (
        "目录里没有 {value}；请从候选中选，或标为“看不清”",
        "{value} is not in the catalog; choose a candidate or mark it unknown",
        "{value} はカタログにありません。候補から選ぶか「不明」にしてください",
    ),
    "bad_attribute": (
        "属性 {key} 的值无效：{value}",
        "Attribute {key} has a bad value: {value}",
        "属性 {key} の値が無効です：{value}",
    ),
    # pictures
    "empty_file": ("文件是空的", "The file is empty", "ファイルが空です"),
    "not_a_picture": (
        "不是图片，或格式不支持（支持 JPEG、PNG、WebP、BMP、TIFF、GIF）",
        "Not a picture, or a format that is not supported (JPEG, PNG, WebP, BMP, TIFF, GIF are)",
        "画像ではないか、未対応の形式です（JPEG、PNG、WebP、BMP、TIFF、GIF に対応）",
    ),
    "corrupt_picture": (
        "图片已损坏，解不开：{detail}",
        "The picture is damaged and cannot be decoded: {detail}",
        "画像が壊れていて開けません：{detail}",
    ),
    "picture_too_large": (
        "图片 {width}×{height} 超过 {limit} 百万像素上限",
        "The picture is {width}×{height}; the limit is {limit} megapixels",
        "画像 {width}×{height} は上限 {limit} メガピクセルを超えています",
    ),
    "picture_too_small": (
        "图片只有 {width}×{height}，至少要 32×32",
        "The picture is only {width}×{height}; at least 32×32 is needed",
        "画像が {width}×{height} しかありません（32×32 以上）",
    ),
    "file_too_large": (
        "文件 {size_mb} MB，超过 {limit_mb} MB 上限",
        "The file has {size_mb} MB; the limit is {limit_mb} MB",
        "ファイル {size_mb} MB は上限 {limit_mb} MB を超えています",
    ),
    "too_many_files": (
        "一次最多 {limit} 个文件",
        "At most {limit} files a request",
        "一度に送れるのは {limit} ファイルまでです",
    ),
    # catalog
    "bad_csv": (
        "CSV 读不了：{detail}",
        "The CSV cannot be read: {detail}",
        "CSV を読めません：{detail}",
    ),
    "missing_column": (
        "缺少必需的列：{column}",
        "A required column is missing: {column}",
        "必須の列がありません：{column}",
    ),
    "bad_code": (
        "SKU 编码“{value}”无效：要 1–64 个字符，不含空白、控制字符和 |【】[]",
        "The SKU code “{value}” is not valid: 1–64 characters, no spaces, control characters or |【】[]",
        "SKU コード「{value}」は無効です（1–64 文字、空白・制御文字・|【】[] 不可）",
    ),
    "duplicate_code": (
        "与第 {line} 行的编码重复",
        "Repeats the code of line {line}",
        "{line} 行目とコードが重複しています",
    ),
    "bad_spec": (
        "规格读不懂：{value}",
        "The spec cannot be read: {value}",
        "規格を読めません：{value}",
    ),
    "bad_barcode": (
        "条码校验位不对：{value}",
        "The barcode's check digit is wrong: {value}",
        "バーコードの検査数字が違います：{value}",
    ),
    "bad_number": ("不是数字：{value}", "Not a number: {value}", "数値ではありません：{value}"),
    "missing_picture": (
        "找不到参考图：{value}",
        "The reference picture was not found: {value}",
        "参考画像が見つかりません：{value}",
    ),
    "outside_root": (
        "路径越出了数据根目录：{value}",
        "The path leaves the data root: {value}",
        "パスがルートの外を指しています：{value}",
    ),
    "bad_record": ("记录无效：{detail}", "Bad record: {detail}", "レコードが無効です：{detail}"),
}
_COLUMN = {"zh-hans": 0, "en": 1, "ja": 2}


def text(code: str, /, **params: object) -> str:
    """The message of ``code`` in the language in force (Chinese where none is)."""
    row = _TABLE.get(code)
    if row is None:
        return code
    return row[_COLUMN.get(get_language() or "zh-hans", 0)].format(**params)
