"""What :mod:`annotator.media` says: pictures."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
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
}
