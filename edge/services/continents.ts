// Continents: how near a country is to another one, for the choice of a machine.

const countriesOf = {
  africa:
    'AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW ' +
    'MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW',
  asia:
    'AE AF AM AZ BD BH BN BT CC CN CX CY GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO ' +
    'MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE',
  europe:
    'AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ' +
    'ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA',
  northAmerica:
    'AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV ' +
    'SX TC TT US VC VG VI',
  southAmerica: 'AR BO BR CL CO EC FK GF GS GY PE PY SR UY VE',
  oceania: 'AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS',
  antarctica: 'AQ TF',
};

const continentOf = new Map(
  Object.entries(countriesOf).flatMap(([continent, codes]) =>
    codes.split(' ').map((code) => [code, continent] as const),
  ),
);

/** The continent of a country; null where that is not known. */
export function continentOfCountry(country: string | null): string | null {
  return (country === null ? undefined : continentOf.get(country)) ?? null;
}

/** 0 for the same country, 1 for the same continent, 2 for another one, or where either is not known. */
export function nearnessOf(one: string | null, other: string | null): 0 | 1 | 2 {
  if (one === null || other === null) return 2;
  if (one === other) return 0;
  const continent = continentOf.get(one);
  return continent !== undefined && continent === continentOf.get(other) ? 1 : 2;
}
