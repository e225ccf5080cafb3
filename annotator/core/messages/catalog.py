"""What :mod:`annotator.catalog` says: the catalog."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
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
    "bad_weight": (
        "重量要写成大于 0 的克数：{value}",
        "A weight is a number of grams above 0: {value}",
        "重量は 0 より大きいグラム数で書きます：{value}",
    ),
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
