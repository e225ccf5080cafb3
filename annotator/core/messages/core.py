"""What :mod:`annotator.core` says: of requests, lists and addresses, and what any app may say."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "not_authenticated": ("请先登录", "Sign in first", "ログインしてください"),
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
    "bad_cursor": (
        "翻页标记无效，请从第一页重新打开列表",
        "The cursor is not one of this list's; open the list from its first page",
        "カーソルが無効です。一覧を最初から開いてください",
    ),
    "job_ended": (
        "这项工作已结束（{state}），不能再取消",
        "This job has ended ({state}); it cannot be cancelled",
        "このジョブは終了しています（{state}）。取り消せません",
    ),
    "required": ("必填", "Required", "必須です"),
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
    "url_invalid": (
        "网址无效：{detail}",
        "Not a usable address: {detail}",
        "アドレスが無効です：{detail}",
    ),
    "url_unknown_host": (
        "找不到主机 {host}",
        "There is no host {host}",
        "ホスト {host} が見つかりません",
    ),
    "url_not_public": (
        "{host} 在内网（{address}）；需要运维把它列入允许名单",
        "{host} is not public ({address}); the operator must allow it",
        "{host} は公開アドレスではありません（{address}）。運用者の許可が必要です",
    ),
    "url_status": (
        "服务器回答 {status}",
        "The server answered {status}",
        "サーバーの応答は {status} でした",
    ),
    "url_redirects": (
        "转向超过 {limit} 次",
        "Redirected more than {limit} times",
        "リダイレクトが {limit} 回を超えました",
    ),
    "url_timeout": (
        "{seconds} 秒内没有下载完",
        "Not fetched within {seconds} s",
        "{seconds} 秒以内に取得できませんでした",
    ),
    "url_failed": (
        "下载失败：{detail}",
        "Fetching failed: {detail}",
        "取得に失敗しました：{detail}",
    ),
    "bad_list": (
        "读不了这个表（要 CSV 或 JSON 列表）：{detail}",
        "The list cannot be read (a CSV or a JSON list is wanted): {detail}",
        "表を読めません（CSV か JSON のリストにしてください）：{detail}",
    ),
    "too_many_rows": (
        "最多 {limit} 行，请分开",
        "At most {limit} rows; part the list",
        "最大 {limit} 行です。分けてください",
    ),
}
