"""What an invented warehouse sells: syllables of brands, and categories with their products.

A brand is made of two or three characters, each with its reading; real brands that could come out
are listed and left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["carton", "box", "bottle", "bag", "can", "cup", "tray"]

_HEADS: Final = (
    "沐MU 澜LAN 屿YU 岚LAN 汀TING 霁JI 砚YAN 棠TANG 芷ZHI 若RUO 竹ZHU 溪XI 鹿LU 禾HE 穗SUI 麓LU 槿JIN "
    "苔TAI 岫XIU 墨MO 桐TONG 萤YING 栀ZHI 荞QIAO 橡XIANG 渡DU 陌MO 舟ZHOU 野YE 椿CHUN 榆YU 鲸JING 榛ZHEN 羽YU"
)
_TAILS: Final = (
    "白BAI 语YU 集JI 屋WU 里LI 谣YAO 作ZUO 间JIAN 拾SHI 川CHUAN 谷GU 序XU 仓CANG 朵DUO 然RAN 安AN 季JI "
    "庭TING 坊FANG 歌GE 町DING 原YUAN 湾WAN 巷XIANG 樱YING 笙SHENG 曜YAO 柚YOU 畔PAN 蓝LAN 初CHU 止ZHI"
)


def _readings(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((word[0], word[1:]) for word in text.split())


BRAND_HEADS: Final = _readings(_HEADS)
BRAND_TAILS: Final = _readings(_TAILS)

REAL_BRANDS: Final = frozenset(
    "白象 鹿角巷 禾然 竹叶 野原 溪木源 橡树 羽西 墨迹 舟山 渡边 桐庐 竹里 禾作 麓谷 麓语 霁蓝 "
    "椿屋 橡木 汀兰 桐原 芷兰 若初 若羽 沐语 禾川 溪谷 溪畔 麓湾 陌上 墨语 野作 鲸语 渡川".split()
)
"""Names that are or may be in use, which the grammar must not make."""


@dataclass(frozen=True, slots=True)
class Line:
    """A leaf category. ``amounts`` are sizes of one inner pack, ``inner`` its unit in a carton;
    ``nouns`` name the product, ``flavours`` tell look-alikes apart, ``claims`` praise."""

    leaf: str
    parent: str
    prefix: str
    forms: tuple[Form, ...]
    amounts: tuple[str, ...]
    inner: str
    nouns: tuple[str, ...]
    flavours: tuple[str, ...]
    claims: tuple[str, ...]
    motifs: tuple[str, ...]


_FORM: Final[dict[str, Form]] = {
    "C": "carton",
    "X": "box",
    "B": "bottle",
    "G": "bag",
    "K": "can",
    "U": "cup",
    "T": "tray",
}

# leaf|parent|prefix|forms|amounts|inner|nouns|flavours|claims|motifs
_ROWS: Final = """
洗发水|个人护理|SHAM|BC|200ml 400ml 500ml 750ml|瓶|洗发水 洗发露|海盐 薄荷 生姜 茶树 椰油 山茶 迷迭香 无患子|清爽控油 柔顺修护 蓬松轻盈|wave drop leaf
护发素|个人护理|COND|BC|200ml 400ml 600ml|瓶|护发素 润发乳|玫瑰 橄榄 燕麦 蜂蜜 山茶 米浆|深层滋养 一梳到底|wave leaf bubbles
沐浴露|个人护理|BATH|BCG|250ml 400ml 650ml 1L|瓶|沐浴露 沐浴乳|玫瑰 牛奶 樱花 海洋 柑橘 雪松 白桃|柔润留香 温和洁净|bubbles wave flower
牙膏|个人护理|TOOTH|XC|90g 120g 150g 180g|支|牙膏|薄荷 绿茶 竹炭 海盐 柠檬 苏打|清新口气 亮白护龈|stripes drop dots
香皂|个人护理|SOAP|XC|100g 115g 125g×3|块|香皂 手工皂|羊奶 茉莉 艾草 硫磺 橄榄 精油|温和不紧绷|flower dots leaf
洗手液|个人护理|HAND|BC|250ml 300ml 500ml|瓶|洗手液 泡沫洗手液|青柠 芦荟 樱桃 薰衣草 茶树|抑菌99% 丰富泡沫|bubbles drop leaf
面膜|个人护理|MASK|XC|25ml×5片 28g×10片 5片|盒|补水面膜 蚕丝面膜|玻尿酸 烟酰胺 洋甘菊 积雪草|水润透亮|drop dots flower
卫生巾|个人护理|PAD|GC|10片 8片 240mm×10片 290mm×8片|包|卫生巾 日用卫生巾|棉柔 丝薄 草本 夜用|透气不闷|flower wave dots
纸尿裤|母婴用品|DIAP|GC|S码 58片 M码 50片 L码 42片 XL码 36片|包|纸尿裤 拉拉裤|轻薄 云柔 夜安 透气|瞬吸干爽|bubbles star dots
婴儿奶粉|母婴用品|INFM|KC|400g 800g 900g|罐|婴幼儿奶粉 羊奶粉|1段 2段 3段 4段|亲和配方|star disc wave
婴儿湿巾|母婴用品|WIPE|GC|80抽 100抽 60抽×3包|包|婴儿湿巾 手口湿巾|纯水 绿茶 芦荟 无香|温和无酒精|drop bubbles leaf
饮用水|饮料|WATER|BC|380ml 550ml 1.5L 5L|瓶|饮用天然水 矿泉水 纯净水|高山 深层 冰川 弱碱|深层水源|mountain wave drop
果汁|饮料|JUICE|BCK|250ml 310ml 1L 1.25L|瓶|汁|鲜橙 西柚 苹果 葡萄 蜜桃 芒果 番石榴 青提|非浓缩还原 100%果汁|fruit drop sun
茶饮|饮料|TEA|BCK|310ml 450ml 500ml 900ml|瓶|茶 绿茶 乌龙茶|柚子 茉莉 桂花 青梅 荔枝 柠檬 蜂蜜|低糖 零糖零卡|leaf wave fruit
碳酸饮料|饮料|SODA|KBC|200ml 330ml 500ml 1.25L|罐|汽水 气泡水|荔枝 盐汽 白桃 青柠 橘子 菠萝 可乐|爽口气泡 零蔗糖|bubbles zigzag sun
功能饮料|饮料|ENER|KC|180ml 250ml 500ml|罐|能量饮料 电解质水|原味 西柚 海盐 青柠|补充能量|zigzag star sun
咖啡|饮料|COFF|GKC|227g 454g 180ml 270ml|袋|咖啡豆 咖啡 拿铁|深烘 中烘 榛果 香草 生椰|意式拼配 现磨风味|cup disc mountain
啤酒|酒类|BEER|KC|330ml 500ml 500ml×4|罐|精酿啤酒 鲜啤|小麦 黑麦 桂花 世涛 原浆 淡爽|10°P 原浆酿造|grain disc mountain
黄酒|酒类|WINE|BXC|500ml 600ml 1.5L|瓶|黄酒 花雕|三年陈 五年陈 八年陈 冬酿|手工冬酿|mountain check flower
米酒|酒类|RICEW|BUC|300ml 360ml 700ml|瓶|米酒 甜酒酿|原味 桂花 青梅 玫瑰|微醺低度|flower grain dots
纯牛奶|乳品|MILK|CXT|200ml 250ml 1L|盒|纯牛奶 鲜牛奶|全脂 低脂 脱脂 高钙 有机|高原牧场 3.6g乳蛋白|mountain wave drop
酸奶|乳品|YOG|UTC|100g 135g 200g 100g×8|杯|酸奶 风味酸乳|原味 黄桃 草莓 蓝莓 燕麦 红枣|生牛乳发酵|fruit bubbles wave
奶酪|乳品|CHEE|GXC|90g 100g 166g 500g|袋|奶酪棒 芝士片|原味 草莓 香橙 混合|高钙|dots star sun
方便面|方便食品|NOOD|GUC|85g 110g 120g 85g×5|袋|牛肉面 拌面 拉面|红烧 香辣 番茄 酸菜 老坛 葱油 豚骨|大块牛肉 非油炸|disc wave zigzag
自热食品|方便食品|SELF|XC|300g 380g 420g|盒|自热火锅 自热米饭|麻辣 番茄 咖喱 菌菇 酸汤|10分钟开吃|disc zigzag sun
粥|方便食品|CONG|KUC|280g 320g 360g|罐|八宝粥 燕麦粥|桂圆 黑米 紫薯 红豆 薏仁|慢火熬煮|grain dots disc
罐头|方便食品|TINF|KTC|198g 340g 425g|罐|午餐肉 黄桃罐头 金枪鱼|经典 原汁 辣味 油浸 糖水|即开即食|fish fruit disc
膨化食品|休闲零食|CHIP|GKC|40g 70g 100g 135g|袋|薯片 玉米片 虾条|原味 麻辣 黄瓜 番茄 海苔 烧烤 青柠|薄切 非油炸|disc zigzag sun
饼干|休闲零食|BISC|XGC|80g 120g 200g 400g|盒|饼干 曲奇 苏打饼|香葱 奶盐 可可 抹茶 全麦 芝麻|酥脆|check dots grain
坚果|休闲零食|NUTS|GKC|100g 190g 250g 500g|袋|坚果 巴旦木 腰果 核桃仁|原味 盐焗 蜂蜜 奶香 每日|当季新货|leaf disc dots
糖果|休闲零食|CANDY|GKC|50g 90g 150g 300g|袋|硬糖 软糖 奶糖|话梅 薄荷 葡萄 牛轧 荔枝 柠檬|好味分享|dots star stripes
巧克力|休闲零食|CHOC|XGC|40g 80g 100g 180g|盒|巧克力 夹心巧克力|黑巧70% 榛子 牛奶 海盐焦糖 抹茶|丝滑|check stripes disc
肉干|休闲零食|JERK|GC|50g 88g 100g 168g|袋|牛肉干 猪肉脯 鸭脖|五香 麻辣 蜜汁 黑椒 沙嗲|手撕|zigzag mountain disc
果干|休闲零食|DRYF|GC|80g 100g 106g 200g|袋|芒果干 草莓干 葡萄干|原味 低糖 冻干 酸甜|鲜果烘制|fruit leaf sun
大米|粮油调味|RICE|GC|2.5kg 5kg 10kg 20斤|袋|香米 长粒米 珍珠米 小町米|茉莉 当季 有机 富硒 鸭田|当季新米|grain mountain leaf
面粉|粮油调味|FLOUR|GC|1kg 2.5kg 5kg|袋|面粉 小麦粉|高筋 中筋 低筋 全麦 自发|家用多能|grain sun leaf
杂粮|粮油调味|GRAIN|GC|400g 500g 1kg|袋|小米 燕麦片 黑豆 藜麦|有机 五色 农家 原生|石碾慢磨|grain leaf check
食用油|粮油调味|OIL|BC|900ml 1.8L 4L 5L|瓶|玉米油 花生油 菜籽油 葵花籽油|压榨 古法 低芥酸 小榨|物理压榨|drop sun flower
酱油|粮油调味|SOY|BC|150ml 500ml 800ml 1.28L|瓶|生抽 老抽 蒸鱼豉油|特级 一级 薄盐 头道 有机|头道酿造|drop check disc
食醋|粮油调味|VINE|BC|250ml 420ml 500ml|瓶|陈醋 米醋 香醋|三年 六年 糯米 柿子|固态发酵|drop check mountain
调味酱|粮油调味|SAUC|BKC|170g 210g 280g|瓶|辣椒酱 豆瓣酱 香菇酱|香辣 鲜椒 牛肉 原味 蒜蓉|下饭拌面|disc zigzag leaf
食盐|粮油调味|SALT|GC|250g 320g 400g|袋|海盐 湖盐 井盐|加碘 低钠 未加碘 竹|天然结晶|wave mountain dots
洗洁精|家居清洁|DISH|BC|500g 1kg 1.5kg 2L|瓶|洗洁精|柠檬 绿茶 生姜 小苏打 西柚|去油不伤手|bubbles drop fruit
洗衣液|家居清洁|LAUN|BGC|500g 1L 2kg 3kg|瓶|洗衣液|薰衣草 樱花 海洋 皂角 茶树|深层洁净|bubbles wave flower
洗衣粉|家居清洁|POWD|GC|508g 1kg 1.68kg 2kg|袋|洗衣粉 皂粉|天然 柠檬 速溶 馨香|低泡易漂|bubbles stripes star
清洁剂|家居清洁|CLEAN|BC|500ml 500g 750ml|瓶|厨房清洁剂 洁厕液 玻璃水|强力 柠檬 松木 无香|一喷一擦|drop zigzag star
垃圾袋|家居清洁|TRASH|GC|45cm×50cm 30只 50cm×60cm 100只|卷|垃圾袋 背心垃圾袋|加厚 抽绳 可降解|承重不漏|stripes check leaf
抽纸|纸品文具|TISS|GC|100抽 120抽 130抽×3包|包|抽纸 面巾纸|三层 四层 乳霜 竹浆 原木|原生木浆|leaf flower wave
卷纸|纸品文具|ROLL|GC|140g×10卷 180g×12卷 27卷|卷|卷纸 无芯卷纸|三层 四层 竹浆 本色|柔韧加厚|leaf dots wave
复印纸|纸品文具|COPY|XC|A4 500张 A3 500张 B5 500张|包|复印纸 多功能纸|70g 80g 高白 静电|高白不卡纸|stripes check dots
签字笔|纸品文具|PEN|XC|0.5mm×12支 0.7mm×12支 24支|盒|签字笔 中性笔|黑 蓝 红 速干|顺滑书写|stripes dots check
笔记本|纸品文具|NOTE|XC|A5 80张 B5 100张 A6 60张|本|笔记本 胶套本|横线 方格 点阵 空白|不透墨|check stripes dots
电池|数码家电|BATT|XTC|5号×24粒 7号×12粒 9V×2粒|粒|碱性电池 碳性电池|聚能 环保 长效 高功率|持久电力|zigzag star stripes
数据线|数码家电|CABLE|XC|1m 1.5m 2m|条|快充数据线 充电线|C口 编织 磁吸 双头|稳定快充|zigzag dots stripes
灯泡|数码家电|BULB|XC|5W×2只 9W×4只 12W|只|球泡灯 蜡烛灯|暖光 中性光 白光|节能护眼|sun star dots
猫粮|宠物用品|CATF|GKC|500g 1.5kg 2kg 85g×12罐|袋|猫粮 猫罐头|鸡肉 三文鱼 鸭肉 金枪鱼 冻干|全价配方|fish paw star
狗粮|宠物用品|DOGF|GC|1.5kg 2.5kg 10kg|袋|狗粮 犬粮|牛肉 鸡肉 鸭梨 羊肉 小型犬|营养均衡|paw disc star
猫砂|宠物用品|LITT|GC|2.5kg 4kg 6L|袋|猫砂 豆腐猫砂|绿茶 原味 玉米 活性炭|快速结团|paw dots leaf
鸡蛋|生鲜|EGG|TXC|10枚 15枚 20枚 30枚|枚|鲜鸡蛋 土鸡蛋|可生食 谷物 散养 富硒|当日装托|sun leaf disc
水果|生鲜|FRUIT|TC|1kg 2斤 2.5kg 约1.5kg|份|苹果 蜜橘 猕猴桃 小番茄|高原 脆甜 红心 贝贝|产地直发|fruit leaf sun
豆制品|生鲜|TOFU|TXC|300g 350g 400g|盒|嫩豆腐 老豆腐 豆干|有机 卤水 内酯 五香|非转基因|leaf check dots
速冻食品|生鲜|FROZ|GTC|450g 500g 1kg|袋|水饺 汤圆 馄饨|猪肉白菜 三鲜 黑芝麻 荠菜 虾仁|手工馅料|disc star flower
维生素|医药保健|VITA|XBC|60片 100片 90粒|瓶|维生素片 复合维生素|维C 维D 多维 B族|每日一片|sun dots drop
口罩|医药保健|FACE|XGC|10只 50只 20只×3包|盒|一次性口罩 防护口罩|成人 儿童 独立装 立体|三层防护|wave stripes dots
""".strip().splitlines()


def _line(row: str) -> Line:
    leaf, parent, prefix, forms, amounts, inner, nouns, flavours, claims, motifs = row.split("|")
    return Line(
        leaf,
        parent,
        prefix,
        tuple(_FORM[letter] for letter in forms),
        _amounts(amounts),
        inner,
        tuple(nouns.split()),
        tuple(flavours.split()),
        tuple(claims.split()),
        tuple(motifs.split()),
    )


def _amounts(text: str) -> tuple[str, ...]:
    """Words, of which a size without a number of its own (A4, 45cm×50cm, M码) leads the next."""
    found: list[str] = []
    lead = ""
    for word in text.split():
        if word.endswith("码") or word[:1] in "AB" or "cm×" in word:
            lead = word + " "
        else:
            found.append(lead + word)
            lead = ""
    return tuple(found)


LINES: Final = tuple(_line(row) for row in _ROWS)
"""The leaf categories, in a fixed order."""
