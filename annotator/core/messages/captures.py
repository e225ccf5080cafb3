"""What :mod:`annotator.captures` says: intake."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "unreadable_file": (
        "文件读不出来：{detail}",
        "The file cannot be read: {detail}",
        "ファイルを読み取れません：{detail}",
    ),
    "zip_unreadable": (
        "不是 ZIP 文件，或已损坏：{detail}",
        "Not a zip, or damaged: {detail}",
        "ZIP ではないか、壊れています：{detail}",
    ),
    "zip_too_many": (
        "ZIP 内文件太多，最多 {limit} 个；请分成几个上传",
        "The zip holds too many files; at most {limit}. Split it",
        "ZIP 内のファイルが多すぎます（最大 {limit}）。分けてください",
    ),
    "zip_too_large": (
        "ZIP 有 {size_mb} MB，超过 {limit_mb} MB 上限；请分成几个上传",
        "The zip has {size_mb} MB; the limit is {limit_mb} MB. Split it",
        "ZIP {size_mb} MB は上限 {limit_mb} MB を超えています。分けてください",
    ),
    "zip_total_too_large": (
        "ZIP 解压后超过 {limit_gb} GB，从这个文件起没有收",
        "Unpacked, the zip exceeds {limit_gb} GB; not taken from this file on",
        "展開後の合計が {limit_gb} GB を超えるため、このファイル以降は取り込んでいません",
    ),
    "zip_encrypted": (
        "文件有密码；请解密后再上传",
        "Encrypted; decrypt it and send it again",
        "暗号化されています。解除してから送ってください",
    ),
    "zip_symlink": (
        "是符号链接，不是文件",
        "A symbolic link, not a file",
        "シンボリックリンクです",
    ),
    "zip_path_outside": (
        "文件名指向压缩包以外",
        "Its name leads out of the archive",
        "名前がアーカイブの外を指しています",
    ),
    "zip_duplicate_name": (
        "压缩包里有同名文件，只收了第一个",
        "The archive has this name twice; only the first was taken",
        "同名のファイルがあり、最初のものだけ取り込みました",
    ),
    "zip_nested": (
        "压缩包里的压缩包不会打开；请单独上传",
        "An archive inside the archive is not opened; send it by itself",
        "アーカイブ内のアーカイブは開きません。単独で送ってください",
    ),
    "zip_ratio": (
        "压缩比 {ratio} 超过 {limit}，像是压缩炸弹",
        "Squeezed {ratio} times, more than {limit}: it looks like a bomb",
        "圧縮率 {ratio} が上限 {limit} を超えています（圧縮爆弾の疑い）",
    ),
    "zip_method": (
        "压缩方法不支持：{detail}",
        "Its compression is not supported: {detail}",
        "未対応の圧縮方式です：{detail}",
    ),
    "zip_damaged": (
        "压缩包里的这个文件已损坏：{detail}",
        "Damaged inside the archive: {detail}",
        "アーカイブ内で壊れています：{detail}",
    ),
    "zip_truncated": (
        "ZIP 不完整（没有传完？），只收了断点之前的文件；请重新上传",
        "The zip is cut off; what stands before the break was taken. Send it again",
        "ZIP が途中で切れています。切れる前の分だけ取り込みました。送り直してください",
    ),
    "too_many_urls": (
        "一次最多 {limit} 个网址",
        "At most {limit} addresses at once",
        "一度に {limit} 件までです",
    ),
    "unknown_source": (
        "没有名为“{name}”的来源；来源由运维配置",
        "There is no source named {name}; the operator sets them up",
        "「{name}」という取り込み元はありません。運用者が設定します",
    ),
    "s3_missing": (
        "没有安装 S3 支持：pip install 'warevision[s3]'",
        "S3 support is not installed: pip install 'warevision[s3]'",
        "S3 対応が入っていません：pip install 'warevision[s3]'",
    ),
    "s3_failed": ("S3 出错：{detail}", "S3 failed: {detail}", "S3 エラー：{detail}"),
    "s3_object": (
        "对象读不出来：{detail}",
        "The object cannot be read: {detail}",
        "オブジェクトを読めません：{detail}",
    ),
    "no_such_photo": (
        "没有这张照片：{value}",
        "There is no such photo: {value}",
        "この写真はありません：{value}",
    ),
    "named_twice": (
        "这张照片写了两次，内容不同：{value}",
        "The photo is named twice, with different content: {value}",
        "この写真が異なる内容で二度書かれています：{value}",
    ),
}
