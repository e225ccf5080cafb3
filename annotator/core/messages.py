"""What WareVision says to people, by code, in the three languages of its users.

One table, so that an error reads the same from the browser, the API and a command. A message says
what is wrong, where, and how to mend it.
"""

from __future__ import annotations

from typing import Literal

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
    "cannot_replay": (
        "无法重现：{detail}",
        "It cannot be made again: {detail}",
        "再現できません：{detail}",
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
    "nobody_to_ask": (
        "没有人标过这张，无法退回；请直接裁定或标为不可用",
        "Nobody has answered this task, so it cannot be sent back; decide it or mark it unusable",
        "回答した人がいないため差し戻せません。裁定するか使用不可にしてください",
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
    "too_many_views": (
        "最多保存 {limit} 个视图，请先删除不用的",
        "At most {limit} views can be saved; delete some first",
        "保存できるビューは {limit} 個までです。不要なものを削除してください",
    ),
    "bad_shortcuts": (
        "快捷键最多 {limit} 个，名称只用字母和数字",
        "At most {limit} shortcuts, their actions named by letters and digits",
        "ショートカットは {limit} 個まで、操作名は英数字で指定してください",
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
    "nothing_decided": (
        "没有符合条件的已定稿任务，无法生成快照",
        "No decided task matches; there is nothing to freeze",
        "条件に合う確定済みタスクがなく、スナップショットを作れません",
    ),
    "snapshot_not_made": (
        "快照 {id} 还没有生成好",
        "Snapshot {id} is not made yet",
        "スナップショット {id} はまだ作成されていません",
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
    "unreadable_file": (
        "文件读不出来：{detail}",
        "The file cannot be read: {detail}",
        "ファイルを読み取れません：{detail}",
    ),
    "decoder_died": (
        "解码进程因这张图片崩溃，图片已隔离",
        "Decoding this picture crashed the decoder; it is kept apart",
        "この画像でデコーダーが異常終了したため隔離しました",
    ),
    "decoder_timed_out": (
        "{seconds} 秒内没有解码完",
        "Not decoded within {seconds} s",
        "{seconds} 秒以内にデコードできませんでした",
    ),
    "decoder_out_of_memory": (
        "解码需要的内存超过上限",
        "Decoding it takes more memory than is allowed",
        "デコードに必要なメモリが上限を超えています",
    ),
    # zip archives
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
    # addresses
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
    "too_many_urls": (
        "一次最多 {limit} 个网址",
        "At most {limit} addresses at once",
        "一度に {limit} 件までです",
    ),
    # S3
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
    # catalog
    "bad_csv": (
        "CSV 读不了：{detail}",
        "The CSV cannot be read: {detail}",
        "CSV を読めません：{detail}",
    ),
    "bad_xlsx": (
        "Excel 文件读不了：{detail}",
        "The Excel file cannot be read: {detail}",
        "Excel ファイルを読めません：{detail}",
    ),
    "mirror_needs_good_rows": (
        "有坏行时不能镜像：请先改好文件，以免误停用",
        "A file with bad rows cannot be mirrored; mend it first, so that nothing is deactivated by mistake",
        "不正な行があるためミラーできません。誤って無効化しないよう、先に直してください",
    ),
    "cannot_merge": (
        "{source} 不能并入 {target}：两者须在同一站点、互不相同，且目标在用",
        "{source} cannot be merged into {target}: they must be two SKUs of one site, the target active",
        "{source} を {target} に統合できません。同じサイトの別の SKU で、統合先が有効である必要があります",
    ),
    "bad_category_name": (
        "品类名“{value}”无效：不能为空或含 / 和 >，整条路径不超过 512 字",
        "“{value}” is no category name: not empty, without / and >, at most 512 characters in the whole path",
        "カテゴリ名「{value}」は無効です（空・「/」「>」不可、パス全体で 512 文字以内）",
    ),
    "below_itself": (
        "不能移到自己下面：{path}",
        "A category cannot be moved below itself: {path}",
        "自分の下には移せません：{path}",
    ),
    "category_has_children": (
        "“{path}”下面还有品类，请先移走",
        "There are categories below “{path}”; move them first",
        "「{path}」の下にカテゴリがあります。先に移してください",
    ),
    "category_has_skus": (
        "“{path}”里还有 {count} 个 SKU，请选择移到哪个品类",
        "“{path}” still holds {count} SKUs; say which category they go to",
        "「{path}」に SKU が {count} 件あります。移動先を選んでください",
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
    "spot_check_done": (
        "这条抽检已经有结论，或决定已经变了",
        "This spot check is done, or the decision has changed since",
        "この抜き取り検査は済んでいるか、決定が変わっています",
    ),
    "paused": (
        "你在这个项目的标注已暂停：{reason}",
        "You are paused in this project: {reason}",
        "このプロジェクトでの作業は一時停止中です：{reason}",
    ),
    "unknown_setting": (
        "没有名为“{name}”的设置",
        "There is no setting called {name}",
        "「{name}」という設定はありません",
    ),
    "gold_contradicts": (
        "定稿是“{value}”，与此不同；先改正定稿",
        "What was decided differs: {value}. Mend the decision first",
        "確定は「{value}」で異なります。先に確定を訂正してください",
    ),
    "nothing_mended": (
        "改正后的内容与定稿相同，没有要改的",
        "What is given is what was decided: there is nothing to mend",
        "訂正後の内容が確定と同じです",
    ),
    "bad_weight": (
        "重量要写成大于 0 的克数：{value}",
        "A weight is a number of grams above 0: {value}",
        "重量は 0 より大きいグラム数で書きます：{value}",
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
    # projects and people
    "bad_rename": (
        "键名不能从 {key} 改为 {to}：旧键要在原来的字段里，新键要在新的字段里",
        "The key {key} cannot become {to}: rename a key that was there to one that is new",
        "キー {key} を {to} に変えられません。元のキーを新しいキーにしてください",
    ),
    "slug_taken": (
        "站点里已有标识为 {slug} 的项目",
        "The site has a project called {slug} already",
        "識別名 {slug} のプロジェクトは既にあります",
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
    "already_member": (
        "{username} 已是成员，请在列表里改角色",
        "{username} is a member already; change the roles in the list",
        "{username} は既にメンバーです。一覧で役割を変えてください",
    ),
    "service_account": (
        "这是系统账号，不能加为成员",
        "This is a machine's account; it cannot be a member",
        "システム用アカウントはメンバーにできません",
    ),
    "last_admin": (
        "这是站点最后一位管理员；请先让别人也当管理员",
        "This is the site's last admin; make somebody else an admin first",
        "サイト最後の管理者です。先に別の人を管理者にしてください",
    ),
    "works_elsewhere": (
        "此人还在别的站点工作，账号要由系统管理员处理",
        "This person works on other sites too; ask the system's administrator",
        "この人は他のサイトでも働いています。システム管理者に依頼してください",
    ),
    "bad_object": (
        "需要可保存的 JSON 对象：{detail}",
        "A JSON object that can be kept is expected: {detail}",
        "保存できる JSON オブジェクトが必要です：{detail}",
    ),
    "one_picture": (
        "image 只能有一张；多张请用 images",
        "There can be one image; name several images",
        "image は 1 枚だけです。複数なら images を使ってください",
    ),
    "bad_priority": (
        "优先级只能是 normal 或 urgent",
        "The priority is normal or urgent",
        "優先度は normal か urgent です",
    ),
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
    "bad_model": (
        "这不是封好的模型：{detail}",
        "This is no sealed model: {detail}",
        "封印されたモデルではありません：{detail}",
    ),
    "no_such_model": (
        "没有模型 {name}；现有：{known}",
        "There is no model {name}; there are: {known}",
        "モデル {name} はありません。あるもの：{known}",
    ),
    "model_is_live": (
        "{name} 已经在用",
        "{name} is live already",
        "{name} は既に使用中です",
    ),
    "model_changed": (
        "别人刚换过模型（第 {revision} 次）；请刷新后再定",
        "Somebody has changed the models meanwhile (change {revision}); reload, then decide again",
        "その間にモデルが変更されました（{revision} 回目）。再読み込みして決め直してください",
    ),
    "model_is_rolling_out": (
        "正在准备另一个模型；等它换上或取消它",
        "Another model is being prepared; wait for it, or cancel its job",
        "別のモデルを準備中です。完了を待つか取り消してください",
    ),
    "model_broken": (
        "{name} 的文件已损坏，不能启用：{detail}。请重新登记",
        "The files of {name} are broken, so it cannot be used: {detail}. Register it again",
        "{name} のファイルが壊れていて使えません：{detail}。登録し直してください",
    ),
    "model_refused": (
        "识别服务不能载入 {name}：{detail}",
        "The recognizer cannot load {name}: {detail}",
        "認識サービスが {name} を読み込めません：{detail}",
    ),
    "no_former_model": (
        "没有可以退回的模型",
        "There is no former model to roll back to",
        "戻せる以前のモデルがありません",
    ),
    "no_trial": (
        "没有进行中的试用",
        "No trial is under way",
        "試用は行われていません",
    ),
    "bad_share": (
        "份额须大于 0，不超过 1",
        "The share is above 0 and at most 1",
        "割合は 0 より大きく 1 以下です",
    ),
    "bad_record": ("记录无效：{detail}", "Bad record: {detail}", "レコードが無効です：{detail}"),
}
_COLUMN = {"zh-hans": 0, "en": 1, "ja": 2}


def caption_language() -> Literal["zh", "en", "ja"]:
    """The language in force, by the name that the caption language gives it."""
    language = get_language()
    return "en" if language == "en" else "ja" if language == "ja" else "zh"


def text(code: str, /, **params: object) -> str:
    """The message of ``code`` in the language in force (Chinese where none is)."""
    row = _TABLE.get(code)
    if row is None:
        return code
    return row[_COLUMN.get(get_language() or "zh-hans", 0)].format(**params)
