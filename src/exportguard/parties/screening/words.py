"""Words of organisations' names: which say nothing, and which say the same."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

LEGAL_FORMS = frozenset(
    """
    co company companies corp corporation inc incorporated llc llp lp ltd limited plc pllc pvt private pte pty gmbh
    ag kg ohg mbh ug ev sa sas sarl sl sae spa srl sro scrl nv bv bvba vof oy oyj ab aps asa as kft zrt doo dd ad
    ead eood ood sh pk spzoo jsc ojsc cjsc pjsc ooo oao zao pao ao mchj tov pp fze fzc fzco fzllc dmcc wll bsc saog
    saoc kk yk sdn bhd tbk pt liability joint stock responsibility societe anonyme anonim sirketi sti
    aktiengesellschaft obshchestvo ogranichennoi ogranichennoy otvetstvennostyu aktsionernoe aktsionernoye
    publichnoe publichnoye otkrytoe otkrytoye zakrytoe zakrytoye
    """.split()  # noqa: SIM905
)
"""Of companies in the countries whose names the list holds. They weigh next to nothing."""

FILLERS = frozenset(
    """
    of the and for in at on to by de del della di da des du la le les el los las und der die das van von al ul an a
    s c i ve named after imeni im
    """.split()  # noqa: SIM905
)
"""Weigh next to nothing."""

ABBREVIATIONS = {
    "acad": "academy", "admin": "administration", "aero": "aeronautics", "agri": "agricultural",
    "assn": "association", "assoc": "association", "auto": "automobile", "bldg": "building", "bros": "brothers",
    "bur": "bureau", "cent": "center", "centre": "center", "chem": "chemical", "cn": "china", "col": "college",
    "coll": "college", "comm": "communication", "comms": "communication", "const": "construction",
    "constr": "construction", "corpn": "corporation", "ctr": "center", "def": "defense", "defence": "defense",
    "dept": "department", "dev": "development", "devt": "development", "develop": "development", "dist": "district",
    "div": "division", "ed": "education", "edu": "education", "educ": "education", "elec": "electronic",
    "electr": "electronic", "electron": "electronic", "eng": "engineering", "engg": "engineering",
    "engr": "engineering", "ent": "enterprise", "env": "environmental", "eqpt": "equipment", "equip": "equipment",
    "est": "establishment", "exp": "export", "fac": "factory", "fed": "federal", "gen": "general",
    "gov": "government", "govt": "government", "grp": "group", "hldg": "holding", "hldgs": "holding",
    "hosp": "hospital", "imp": "import", "ind": "industry", "indl": "industrial", "info": "information",
    "inst": "institute", "instn": "institution", "instr": "instrument", "int": "international",
    "intl": "international", "internat": "international", "inv": "investment", "invest": "investment",
    "lab": "laboratory", "labs": "laboratory", "mach": "machinery", "manuf": "manufacturing", "mat": "material",
    "mats": "material", "mech": "mechanical", "med": "medical", "mfg": "manufacturing", "mgmt": "management",
    "mgt": "management", "mil": "military", "min": "ministry", "nat": "national", "natl": "national",
    "opt": "optical", "org": "organization", "organisation": "organization", "petrochem": "petrochemical",
    "pharm": "pharmaceutical", "phys": "physics", "polytech": "polytechnic", "polytechnical": "polytechnic",
    "prod": "production", "prov": "province", "rd": "road", "rep": "republic", "res": "research", "sch": "school",
    "sci": "science", "scientific": "science", "sec": "security", "semi": "semiconductor", "serv": "service",
    "svc": "service", "soc": "society", "sys": "system", "tech": "technology", "techn": "technology",
    "technol": "technology", "technological": "technology", "telecom": "telecommunication", "trad": "trading",
    "trans": "transport", "uni": "university", "univ": "university", "universitet": "university",
    "universite": "university", "universidad": "university", "universitaet": "university",
    "universitat": "university", "institut": "institute", "ministerstvo": "ministry", "zavod": "plant",
    "tsentr": "center", "banka": "bank", "peoples": "people", "aluminium": "aluminum", "labour": "labor",
    "fibre": "fiber", "programme": "program", "aeroplane": "airplane", "saint": "st", "mount": "mt",
    "airline": "air", "airway": "air",
}  # fmt: skip
"""What abbreviations and spellings stand for, singular."""

_ELSEWHERE = {
    # Words of institutions in other languages, in the spellings that they have in Latin letters.
    "university": "universita universitas universidade uniwersytet univerzita universiteti daneshgah daneshgahe",
    "institute": "instituto istituto instytut institutet",
    "academy": "academia akademie akademia akademiya akademii",
    "laboratory": "laboratoriya laboratoire laboratorio laboratorium",
    "technology": "teknolodzhis teknolodzhiz tekhnolodzhis teknolojis teknolojiz technologie technologii "
    " tecnologia tekhnologiya tekhnologii teknoloji teknolojileri teknolojisi",
    "technical": "tekhnicheskiy tekhnicheskii tekhnichesky technische",
    "electronic": "elektronik elektronika elektroniki electronica electronique elettronica",
    "concern": "kontsern konzern koncern",
    "corporation": "korporatsiya korporatsia korporaciya korporatsii goskorporatsiya",
    "company": "kompaniya kompania kompanija sherkat sherkate",
    "group": "gruppa grupa gruppe groupe grupo gruppo",
    "system": "sistema sistemy sistem systeme sistemi",
    "science": "nauchno nauchnyy nauchnyi nauchny nauk nauchnaya",
    "research": "issledovatelskiy issledovatelskii issledovatelsky issledovatelskaya issledovatelskogo",
    "state": "gosudarstvennyy gosudarstvennyi gosudarstvenny gosudarstvennaya gosudarstvennoe",
    "production": "proizvodstvennoe proizvodstvennyy proizvodstvennaya proizvodstvennyi",
    "association": "obedinenie obyedineniye obedineniye obyedinenie",
    "enterprise": "predpriyatie predpriyatiye",
    "national": "natsionalnyy natsionalnyi natsionalny natsionalnaya natsionalnogo",
    "federal": "federalnoe federalnyy federalnyi federalnaya federalnogo",
    "military": "voyennyy voennyy voyennaya voennaya voenno voyenno",
    "aviation": "aviatsionnyy aviatsionnyi aviatsionny aviatsionnaya",
    "nuclear": "yadernyy yadernyi yaderny yadernogo",
    "design": "konstruktorskoe konstruktorskoye",
    "bureau": "byuro biuro",
    "rocket": "raketno raketnyy raketnaya",
    "bank": "banku",
    "space": "kosmicheskie kosmicheskiy kosmicheskii kosmicheskikh",
    "moscow": "moskovskiy moskovskii moskovsky moskovskogo",
    "russian": "rossiyskiy rossiyskii rossiiskii rossiysky rossiyskaya rossiiskaya rossiyskie rossiiskie",
    # Places of China as the post office, Wade and Giles, Russians or Germans spell them.
    "beijing": "peking", "nanjing": "nanking", "tianjin": "tientsin", "sichuan": "szechuan szechwan",
    "guangdong": "kwangtung", "chongqing": "chungking", "hebei": "hopei", "shaanxi": "shensi", "shanxi": "shansi",
    "shandong": "shantung", "zhejiang": "chekiang", "fujian": "fukien", "jiangsu": "kiangsu", "jiangxi": "kiangsi",
    "hubei": "hupeh", "anhui": "anhwei", "gansu": "kansu", "xinjiang": "sinkiang", "dalian": "dairen",
    "suzhou": "soochow", "hangzhou": "hangchow", "fuzhou": "foochow", "chengdu": "chengtu", "shenyang": "mukden",
    "harbin": "haerbin charbin kharbin", "urumqi": "urumchi", "macau": "macao", "tibet": "xizang",
}  # fmt: skip
ABBREVIATIONS |= {spelling: word for word, spellings in _ELSEWHERE.items() for spelling in spellings.split()}

SUB_UNITS = frozenset(
    """
    school department faculty institute laboratory center college hospital branch campus division office unit bureau
    academy library press factory workshop graduate affiliated key national state research first second dept lab
    team group institution
    """.split()  # noqa: SIM905
)
"""Words by which a part of an institution is told apart from it."""

INSTITUTIONS = frozenset(
    """
    university institute academy college polytechnic school
    """.split()  # noqa: SIM905
)

ACRONYMS = {
    "AI": "artificial intelligence", "CAS": "Chinese Academy of Sciences", "IC": "integrated circuit",
    "PLA": "people's liberation army", "CETC": "China Electronics Technology Group Corporation",
    "CASC": "China Aerospace Science and Technology Corporation",
    "CASIC": "China Aerospace Science and Industry Corporation", "AVIC": "Aviation Industry Corporation of China",
    "AECC": "Aero Engine Corporation of China", "CSSC": "China State Shipbuilding Corporation",
    "CNNC": "China National Nuclear Corporation", "IT": "information technology", "UAV": "unmanned aerial vehicle",
    "U": "university", "DPRK": "Democratic People's Republic of Korea", "NSCC": "national supercomputing center",
    "XPCC": "Xinjiang Production and Construction Corps", "PSB": "public security bureau",
}  # fmt: skip
"""Acronyms, in capitals, that stand inside longer names; what they are short for."""

PINYIN_LEGAL = re.compile(r"(?:gufen)?(?:youxian)?(?:zeren)?gongsi$")

_PERSON_NAMES = (
    "muhammad mohammad mohammed muhammed mohamed mohamad mohammod mohd muhamad mahomed mehmet",
    "ahmad ahmed ahmet akhmed akhmad",
    "hussein husayn hossein husain hussain hosein hussayn huseyin",
    "hassan hasan hassaan",
    "yusuf yousef youssef yusef yosef yousuf yusif",
    "abdullah abdallah abdulla abdellah",
    "abdul abd abdel abdol abdal",
    "omar umar omer",
    "osman uthman othman usman",
    "khalid khaled halid",
    "ibrahim ebrahim brahim",
    "ismail esmail ismael ismaeel esmaeil",
    "mustafa mostafa moustafa mustapha",
    "mahmoud mahmud mahmood mehmud",
    "sulayman suleiman sulaiman soleiman soleyman suleyman",
    "said saeed saeid sayed syed sayyid seyed seyyed saiid",
    "jafar jaafar ja'far djafar",
    "qasim kassem qassem qasem ghasem kasim kassim",
    "sergey sergei serguei",
    "alexander aleksandr alexandr oleksandr aleksander",
    "dmitry dmitri dmitriy dmitrii dmytro",
    "yury yuri yuriy iurii yurii iury",
    "andrey andrei andriy andrej",
    "alexey aleksey alexei aleksei oleksiy",
    "vladimir volodymyr wladimir",
    "nikolay nikolai mykola nikolaj",
    "mikhail mykhailo michail",
    "evgeny yevgeny evgenii evgeniy yevgeniy yevgenii evgeni jewgeni jewgenij evgueni yevgeni",
    "arkady arkadi arkadiy arkadii arkadij",
    "imam emam imaam",
    "malek malik",
    "igor ihor",
    "oleg oleh",
    "viktor victor wiktor",
    "vasily vasiliy vasilii vasyl",
    "maxim maksim maksym",
    "konstantin kostiantyn",
)
PERSON_NAMES = {variant: names.split()[0] for names in _PERSON_NAMES for variant in names.split()}
"""Given names whose spellings in Latin letters differ by custom, not by person."""

CHINESE_PLACES = frozenset(
    """
    anhui anhwei beijing peking chongqing chungking fujian fukien gansu kansu guangdong kwangtung guangxi guizhou
    hainan hebei hopei heilongjiang henan honan hubei hupeh hunan jiangsu kiangsu jiangxi kiangsi jilin kirin
    liaoning mongolia ningxia qinghai shaanxi shensi shandong shantung shanghai shanxi shansi sichuan szechuan
    tianjin tientsin tibet xizang xinjiang sinkiang yunnan zhejiang chekiang guangzhou canton shenzhen wuhan chengdu
    nanjing nanking hangzhou suzhou xian xiamen amoy qingdao tsingtao dalian dairen harbin changchun shenyang
    changsha zhengzhou hefei nanchang fuzhou kunming guiyang nanning haikou lanzhou xining urumqi yinchuan hohhot
    taiyuan jinan shijiazhuang tangshan ningbo wuxi changzhou yangzhou nantong zhuhai foshan dongguan huizhou
    wenzhou shaoxing jiaxing jinhua xuzhou yantai weifang zibo luoyang kaifeng xinxiang mianyang leshan yibin
    yanshan yanbian hong kong macau macao taiwan taipei hsinchu kaohsiung taichung tainan soochow fudan tsinghua
    tongji
    """.split()  # noqa: SIM905
)
"""Places, often one letter apart (Henan, Hunan; Shanxi, Shaanxi): never each other's typo."""

_SYNONYMS = (
    "academy institute institution institut",
    "college school faculty",
    "technology technique technical technic",
    "industry industrial",
    "electronic electronics",
    "communication telecommunication telecom",
    "aviation aeronautic aeronautical aeronautics aero aircraft",
    "aerospace astronautic astronautics space spaceflight",
    "supercomputing supercomputer",
    "computing computer computation computational",
    "optic optical optics optoelectronic optoelectronics photoelectric",
    "microelectronic microelectronics",
    "transportation transport communication",
    "equipment device apparatus instrument",
    "intelligent smart intelligence",
    "north northern",
    "south southern",
    "east eastern oriental",
    "west western",
    "security safety",
    "biology biological biotechnology biotech",
    "chemistry chemical",
    "physics physical",
    "electric electrical power",
    "machinery machine mechanical mechanics",
    "gene genomic genomics genetic",
    "ship shipbuilding marine",
    "manufacturing manufacture production",
    "material materials",
    "information informatics",
    "factory plant works",
    "bureau administration office",
    "development r",
    "engineering engineer",
    "innovation innovative creative",
    "sensing sensor",
    "center centre",
    "corp corps",
)
SYNONYMS = {word: frozenset(words.split()) - {word} for words in _SYNONYMS for word in words.split()}
"""Words that translators take for one another: believed of names that were translated word by word, and only there."""

PLACES = CHINESE_PLACES | frozenset(
    """
    china prc pr cn hongkong hk hong kong macau mo taiwan tw russia ru russian federation moscow petersburg iran ir
    tehran korea north dprk pyongyang syria damascus belarus minsk cuba havana venezuela caracas turkey turkiye istanbul
    ankara uae dubai abu dhabi emirates pakistan islamabad karachi lahore india delhi mumbai singapore malaysia germany
    japan usa us uk pla province city district county municipality town road street st avenue ave lane building floor
    room bldg no zip code postal postcode box po p r weihai zip tel hefei anhui yantai luoyang jiangyin kunshan shunyi
    europe european asia pacific america american deutschland france uk england italia italy spain canada
    australia holland netherlands poland africa egypt vietnam thailand indonesia mexico brazil global worldwide overseas
    haidian chaoyang minhang pudong nanshan futian baoan yuhang binjiang region republic people
    """.split()  # noqa: SIM905
)
"""Words of an address: beside a name they leave it what it is."""


@lru_cache(maxsize=1)
def words_digest() -> str:
    """Of what names are brought into one form by: an index made with other words finds other names."""
    parts = (sorted(LEGAL_FORMS), sorted(FILLERS), sorted(ABBREVIATIONS.items()), sorted(PERSON_NAMES.items()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


GENERIC = frozenset(ABBREVIATIONS.values()) | SUB_UNITS | frozenset(SYNONYMS)
"""Words of the trade: alone (`Group`) they are nobody's name."""
