/**
 * The columns of HIRA's claims: as SQL over a statement, and as the files of either layout name and
 * order them.
 */

/** One of HIRA's tables: where its rows come from, and its columns. */
export type ClaimTable = {
  name: string
  fileStem: string
  /** SQL: `statement`, or its lines. */
  from: string
  /** No value needs the agency's encoding. */
  isAscii: boolean
  /** Catalogue column, column of the file, SQL; in the order of the file. */
  columns: (readonly [name: string, inFile: string, sql: string])[]
}

const department = `case when is_cancer then pick(['01', '01', '04', '17'], dice('department', mid))
  else pick(['00', '01', '02', '03', '05', '10', '11', '12', '13', '14', '15', '24'],
    dice('department', mid)) end`
const institution = `dice('institution', mid)`
const amount = `(9000 + dice('amount', mid) % case when form = 0 then 4000000
  else 90000 end) // 10 * 10`
const otherCode = (tag: string, i: string): string => `case when sex = 'M'
  then pick(getvariable('kcd_m'), dice('${tag}', ${i})) else pick(getvariable('kcd_f'),
    dice('${tag}', ${i})) end`

// Forms: 0 inpatient, 1 to 12 outpatient, 13 to 19 pharmacy.
const statementColumns: ClaimTable['columns'] = [
  ['MID', 'MID', 'mid'],
  ['YKIHO', 'YKIHO', `10000000 + 37 * (${institution} % 20000)::integer`],
  [
    'YKIHO_NM',
    'YKIHO_NM',
    `pick(getvariable('stems'), ${institution} % 20000) || case when form = 0
      then pick(['대학교병원', '병원', '종합병원'], ${institution} % 20000)
      when form < 13 then pick(['의원', '내과의원', '병원', '외과의원', '정형외과'], ${institution} % 20000)
      else '약국' end`,
  ],
  [
    'FOM_TP_CD',
    'FOM_TP_CD',
    `case when form = 0 then '021' when form < 13 then '031' else '081' end`,
  ],
  ['DGSBJT_CD', 'DGSBJT_CD', department],
  ['MSICK_CD', 'MSICK_CD', 'code'],
  ['SSICK_CD', 'SSICK_CD', `case when u('second', mid) < 0.4 then ${otherCode('kcd2', 'mid')} end`],
  ['RECU_FR_DD', 'RECU_FR_DD', `strftime(day, '%Y%m%d')`],
  ['RECU_DDCNT', 'RECU_DDCNT', `case when form = 0 then 1 + dice('days', mid) % 21 else 1 end`],
  ['VST_DDCNT', 'VST_DDCNT', `case when form = 0 then 1 + dice('days', mid) % 21 else 1 end`],
  [
    'SPCF_SYM_CD',
    'SPCF_SYM_CD',
    `case when is_cancer then 'V193' when code = 'B20' then 'V103'
    when code = 'G12.2' then 'V123' end`,
  ],
  ['RVD_RPE_TAMT', 'RVD_RPE_TAMT', amount],
  ['RVD_SLF_BRDN_AMT', 'RVD_SLF_BRDN_AMT', `${amount} * if(is_cancer, 5, 30) // 100`],
]

// Up to 2020: other names, another order.
const oldNames: readonly (readonly [name: string, inFile: string])[] = [
  ['YKIHO', 'HOSP_NO'],
  ['YKIHO_NM', 'HOSP_NM'],
  ['MID', 'SPEC_NO'],
  ['RECU_FR_DD', 'STRT_DD'],
  ['FOM_TP_CD', 'FORM_CD'],
  ['MSICK_CD', 'MAIN_SICK'],
  ['SSICK_CD', 'SUB_SICK'],
  ['DGSBJT_CD', 'DEPT_CD'],
  ['VST_DDCNT', 'VISIT_DAYS'],
  ['RECU_DDCNT', 'CARE_DAYS'],
  ['RVD_SLF_BRDN_AMT', 'SELF_AMT'],
  ['RVD_RPE_TAMT', 'TOT_AMT'],
  ['SPCF_SYM_CD', 'SPCL_CD'],
]

function oldStatementColumns(): ClaimTable['columns'] {
  const sqlOf = new Map(statementColumns.map(([name, , sql]) => [name, sql]))
  return oldNames.map(([name, inFile]) => [name, inFile, sqlOf.get(name) ?? 'null'])
}

const linesOf = (tag: string, none: number, one: number, two: number): string =>
  `(select *, unnest(lines(mid, '${tag}', ${none}, ${one}, ${two})) as n from statement) as lines`
const line = 'mid * 4 + n'

const lineTables: readonly ClaimTable[] = [
  {
    name: 'treatment',
    fileStem: 't30',
    from: linesOf('treated', 0.66, 0.88, 0.96),
    isAscii: true,
    columns: [
      ['MID', 'MID', 'mid'],
      ['LINE_NO', 'LINE_NO', 'n'],
      ['DIV_CD', 'DIV_CD', `pick(getvariable('procedures'), dice('procedure', ${line}))`],
      [
        'DY1_MDCT_QTY',
        'DY1_MDCT_QTY',
        `pick(['1', '1', '2', '0.5', '3', '1.5'], dice('quantity', ${line}))`,
      ],
      ['MDCT_DDCNT', 'MDCT_DDCNT', `1 + dice('for', ${line}) % 5`],
      ['UPRC', 'UPRC', `100 + dice('price', ${line}) % 30000`],
      ['AMT', 'AMT', `(100 + dice('price', ${line}) % 30000) * (1 + dice('for', ${line}) % 5)`],
    ],
  },
  {
    name: 'diagnosis',
    fileStem: 't40',
    from: linesOf('diagnosed', 0.2, 0.84, 0.96),
    isAscii: true,
    columns: [
      ['MID', 'MID', 'mid'],
      ['LINE_NO', 'LINE_NO', 'n'],
      ['SICK_CD', 'SICK_CD', `case when n = 1 then code else ${otherCode('kcd3', line)} end`],
      [
        'SICK_TY_CD',
        'SICK_TY_CD',
        `case when n = 1 then '1' when u('ruled', ${line}) < 0.1 then '3' else '2' end`,
      ],
      ['DGSBJT_CD', 'DGSBJT_CD', department],
    ],
  },
  {
    name: 'prescription',
    fileStem: 't60',
    from: linesOf('prescribed', 0.66, 0.88, 0.96),
    isAscii: true,
    columns: [
      ['MID', 'MID', 'mid'],
      ['LINE_NO', 'LINE_NO', 'n'],
      ['GNL_NM_CD', 'GNL_NM_CD', `pick(getvariable('ingredients'), dice('drug', ${line}))`],
      ['FQ1_MDCT_QTY', 'FQ1_MDCT_QTY', `pick(['1', '1', '1', '0.5', '2'], dice('dosed', ${line}))`],
      ['DY1_MDCT_FQ', 'DY1_MDCT_FQ', `1 + dice('times', ${line}) % 3`],
      ['MDCT_DDCNT', 'MDCT_DDCNT', `pick([3, 5, 7, 14, 28, 30, 60, 90], dice('supply', ${line}))`],
    ],
  },
]

/** The four tables over table `statement` of a chunk: in the layout up to 2020, or since. */
export function claimTablesOf(isOld: boolean): ClaimTable[] {
  const columns = isOld ? oldStatementColumns() : statementColumns
  const statement = {
    name: 'statement',
    fileStem: 't20',
    from: 'statement',
    isAscii: false,
    columns,
  }
  return [statement, ...lineTables]
}
