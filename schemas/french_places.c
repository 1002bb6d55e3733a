/* SPDX-License-Identifier: ISC
 *
 * french_places: see french_places.h. Communes and postal codes are bits (french_lists.c), all others texts.
 */
#include "schemas/french_places.h"

#include <string.h>

#include "base/cleanup.h"
#include "schemas/french_lists.h"

static const char *const DEPARTEMENTS[] = {
	"Ain",
	"Aisne",
	"Allier",
	"Alpes-de-Haute-Provence",
	"Hautes-Alpes",
	"Alpes-Maritimes",
	"Ardèche",
	"Ardennes",
	"Ariège",
	"Aube",
	"Aude",
	"Aveyron",
	"Bouches-du-Rhône",
	"Calvados",
	"Cantal",
	"Charente",
	"Charente-Maritime",
	"Cher",
	"Corrèze",
	"Corse-du-Sud",
	"Haute-Corse",
	"Côte-d'Or",
	"Côtes-d'Armor",
	"Creuse",
	"Dordogne",
	"Doubs",
	"Drôme",
	"Eure",
	"Eure-et-Loir",
	"Finistère",
	"Gard",
	"Haute-Garonne",
	"Gers",
	"Gironde",
	"Hérault",
	"Ille-et-Vilaine",
	"Indre",
	"Indre-et-Loire",
	"Isère",
	"Jura",
	"Landes",
	"Loir-et-Cher",
	"Loire",
	"Haute-Loire",
	"Loire-Atlantique",
	"Loiret",
	"Lot",
	"Lot-et-Garonne",
	"Lozère",
	"Maine-et-Loire",
	"Manche",
	"Marne",
	"Haute-Marne",
	"Mayenne",
	"Meurthe-et-Moselle",
	"Meuse",
	"Morbihan",
	"Moselle",
	"Nièvre",
	"Nord",
	"Oise",
	"Orne",
	"Pas-de-Calais",
	"Puy-de-Dôme",
	"Pyrénées-Atlantiques",
	"Hautes-Pyrénées",
	"Pyrénées-Orientales",
	"Bas-Rhin",
	"Haut-Rhin",
	"Rhône",
	"Haute-Saône",
	"Saône-et-Loire",
	"Sarthe",
	"Savoie",
	"Haute-Savoie",
	"Paris",
	"Seine-Maritime",
	"Seine-et-Marne",
	"Yvelines",
	"Deux-Sèvres",
	"Somme",
	"Tarn",
	"Tarn-et-Garonne",
	"Var",
	"Vaucluse",
	"Vendée",
	"Vienne",
	"Haute-Vienne",
	"Vosges",
	"Yonne",
	"Territoire de Belfort",
	"Essonne",
	"Hauts-de-Seine",
	"Seine-Saint-Denis",
	"Val-de-Marne",
	"Val-d'Oise",
	"Guadeloupe",
	"Martinique",
	"Guyane",
	"La Réunion",
	"Mayotte",
	"Saint-Pierre-et-Miquelon",
	"Saint-Barthélemy",
	"Saint-Martin",
	"Terres australes et antarctiques françaises",
	"Wallis et Futuna",
	"Wallis-et-Futuna",
	"Polynésie française",
	"Nouvelle-Calédonie",
	"Île de Clipperton",
};

/* A region and the years that have it. */
struct region {
	const char *code, *name;
	int first, last;
};

#define NO_END 9999
static const struct region REGIONS[] = {
	{"01", "Guadeloupe", 0, NO_END},
	{"02", "Martinique", 0, NO_END},
	{"03", "Guyane", 0, NO_END},
	{"04", "La Réunion", 0, NO_END},
	{"06", "Mayotte", 0, NO_END},
	{"11", "Île-de-France", 0, NO_END},
	{"52", "Pays de la Loire", 0, NO_END},
	{"53", "Bretagne", 0, NO_END},
	{"93", "Provence-Alpes-Côte d'Azur", 0, NO_END},
	{"94", "Corse", 0, NO_END},
	{"21", "Champagne-Ardenne", 0, 2015},
	{"22", "Picardie", 0, 2015},
	{"23", "Haute-Normandie", 0, 2015},
	{"24", "Centre", 0, 2015},
	{"25", "Basse-Normandie", 0, 2015},
	{"26", "Bourgogne", 0, 2015},
	{"31", "Nord-Pas-de-Calais", 0, 2015},
	{"41", "Lorraine", 0, 2015},
	{"42", "Alsace", 0, 2015},
	{"43", "Franche-Comté", 0, 2015},
	{"54", "Poitou-Charentes", 0, 2015},
	{"72", "Aquitaine", 0, 2015},
	{"73", "Midi-Pyrénées", 0, 2015},
	{"74", "Limousin", 0, 2015},
	{"82", "Rhône-Alpes", 0, 2015},
	{"83", "Auvergne", 0, 2015},
	{"91", "Languedoc-Roussillon", 0, 2015},
	{"24", "Centre-Val de Loire", 2016, NO_END},
	{"27", "Bourgogne-Franche-Comté", 2016, NO_END},
	{"28", "Normandie", 2016, NO_END},
	{"84", "Auvergne-Rhône-Alpes", 2016, NO_END},
	{"32", "Nord-Pas-de-Calais-Picardie", 2016, 2016},
	{"44", "Alsace-Champagne-Ardenne-Lorraine", 2016, 2016},
	{"75", "Aquitaine-Limousin-Poitou-Charentes", 2016, 2016},
	{"76", "Languedoc-Roussillon-Midi-Pyrénées", 2016, 2016},
	{"32", "Hauts-de-France", 2017, NO_END},
	{"44", "Grand Est", 2017, NO_END},
	{"75", "Nouvelle-Aquitaine", 2017, NO_END},
	{"76", "Occitanie", 2017, NO_END},
};

/* ISO 3166-1, the code of two letters and that of three, five letters and a blank each. */
static const char COUNTRIES[] =
	"ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE "
	"BABIH BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS "
	"BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN "
	"COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST "
	"EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF "
	"GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD "
	"HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM "
	"JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA "
	"LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD "
	"MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM "
	"NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG "
	"PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA "
	"SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD "
	"STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON "
	"TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR "
	"VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE ";
#define COUNTRY_STEP 6

static const char *const WORDS[FRENCH_LIST_N] = {
	[FRENCH_COMMUNE_CODE] = "is no code of a commune (INSEE)",
	[FRENCH_DEPARTEMENT_CODE] = "is no code of a departement",
	[FRENCH_DEPARTEMENT_NAME] = "is no name of a departement",
	[FRENCH_REGION_CODE] = "is no code of a region",
	[FRENCH_REGION_NAME] = "is no name of a region",
	[FRENCH_POSTAL_CODE] = "is no French postal code",
	[FRENCH_COUNTRY_CODE_2] = "is no country's code of two letters (ISO 3166-1)",
	[FRENCH_COUNTRY_CODE_3] = "is no country's code of three letters (ISO 3166-1)",
};

/* Digits as a number; false where there is another character. */
static bool read_digits(const char *text, size_t size, uint32_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*ret = *ret * 10 + (uint32_t)(text[i] - '0');
	}
	return true;
}

static bool has_bit(const uint64_t *bits, uint32_t at)
{
	return (bits[at / 64] >> (at % 64) & 1) != 0;
}

static bool is_commune(int year, const char *text, size_t size)
{
	bool is_corsican = size == 5 && text[0] == '2' && (text[1] == 'A' || text[1] == 'B');
	size_t low = 0, high = french_n_commune_changes;
	uint32_t code;

	if (size != 5 || !read_digits(text + (is_corsican ? 2 : 0), is_corsican ? 3 : 5, &code))
		return false;
	if (is_corsican)
		code += text[1] == 'A' ? 100000 : 101000;
	while (year < FRENCH_YEAR_LATEST && low < high) {
		size_t middle = (low + high) / 2;

		if (french_commune_changes[middle].code == code)
			return (french_commune_changes[middle].years >> (year - FRENCH_COMMUNES_FIRST_YEAR) & 1) != 0;
		if (french_commune_changes[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return has_bit(french_communes, code);
}

static bool is_departement(const char *text, size_t size)
{
	uint32_t code;

	if (size == 2 && text[0] == '2' && (text[1] == 'A' || text[1] == 'B'))
		return true;
	if (!read_digits(text, size, &code))
		return false;
	if (size == 2)
		return code >= 1 && code <= 95 && code != 20;
	return size == 3 && ((code >= 971 && code <= 978) || code == 984 || (code >= 986 && code <= 989));
}

static bool is_postal_code(const char *text, size_t size)
{
	uint32_t code;

	return size == 5 && read_digits(text, size, &code) && has_bit(french_postal_codes, code);
}

static bool is_country(size_t offset, size_t code_size, const char *text, size_t size)
{
	for (size_t i = 0; size == code_size && i + COUNTRY_STEP < sizeof(COUNTRIES); i += COUNTRY_STEP) {
		if (memcmp(COUNTRIES + i + offset, text, size) == 0)
			return true;
	}
	return false;
}

/* NAME, folded as the text was. */
static bool is_same(const char *name, const struct fold_options *options, const char *text, size_t size)
{
	char folded[FOLD_SIZE];

	if (options == NULL)
		return strlen(name) == size && memcmp(name, text, size) == 0;
	return fold(options, name, strlen(name), folded) && strlen(folded) == size && memcmp(folded, text, size) == 0;
}

static bool is_departement_name(const struct fold_options *options, const char *text, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(DEPARTEMENTS); i++) {
		if (is_same(DEPARTEMENTS[i], options, text, size))
			return true;
	}
	return false;
}

static bool is_region(bool by_code, int year, const struct fold_options *options, const char *text, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(REGIONS); i++) {
		if (year >= REGIONS[i].first && year <= REGIONS[i].last &&
		    is_same(by_code ? REGIONS[i].code : REGIONS[i].name, options, text, size))
			return true;
	}
	return false;
}

bool french_has_year(enum french_list list, int year)
{
	if (year > FRENCH_YEAR_LATEST)
		return false;
	if (list == FRENCH_COMMUNE_CODE)
		return year >= FRENCH_COMMUNES_FIRST_YEAR;
	/* As many years as frformat names. */
	return year >= 2015;
}

/* Codes have capitals alone: where case does not matter the text gets them, and the lists stay as they are. */
static void raise_letters(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'a' && *text <= 'z')
			*text = (char)(*text - ('a' - 'A'));
	}
}

const char *french_listed(enum french_list list, int year, const struct fold_options *options, const char *text,
			  size_t size)
{
	bool is_name = list == FRENCH_DEPARTEMENT_NAME || list == FRENCH_REGION_NAME, is_listed = false;
	char folded[FOLD_SIZE];

	if (options != NULL) {
		if (!fold(options, text, size, folded))
			return WORDS[list];
		if (options->ignore_case && !is_name)
			raise_letters(folded);
		text = folded;
		size = strlen(folded);
	}
	switch (list) {
	case FRENCH_COMMUNE_CODE:
		is_listed = is_commune(year, text, size);
		break;
	case FRENCH_DEPARTEMENT_CODE:
		is_listed = is_departement(text, size);
		break;
	case FRENCH_DEPARTEMENT_NAME:
		is_listed = is_departement_name(options, text, size);
		break;
	case FRENCH_REGION_CODE:
	case FRENCH_REGION_NAME:
		is_listed = is_region(!is_name, year, is_name ? options : NULL, text, size);
		break;
	case FRENCH_POSTAL_CODE:
		is_listed = is_postal_code(text, size);
		break;
	case FRENCH_COUNTRY_CODE_2:
	case FRENCH_COUNTRY_CODE_3:
		is_listed = list == FRENCH_COUNTRY_CODE_2 ? is_country(0, 2, text, size) : is_country(2, 3, text, size);
		break;
	case FRENCH_LIST_N:
		break;
	}
	return is_listed ? NULL : WORDS[list];
}
