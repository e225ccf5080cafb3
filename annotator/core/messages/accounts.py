"""What :mod:`annotator.accounts` says: people, projects and their settings."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # code: (中文, English, 日本語)
    "bad_credentials": (
        "用户名或密码不对",
        "The user name or the password is wrong",
        "ユーザー名かパスワードが違います",
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
    "unknown_setting": (
        "没有名为“{name}”的设置",
        "There is no setting called {name}",
        "「{name}」という設定はありません",
    ),
    "bad_number": ("不是数字：{value}", "Not a number: {value}", "数値ではありません：{value}"),
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
}
