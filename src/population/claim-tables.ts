/**
 * HIRA's claims: statements (T20), treatment lines (T30), diagnoses (T40) and outside prescriptions (T60).
 *
 * The rows of a year are made in chunks in the order of their dates. A row's date follows from its place; the person is
 * drawn among those alive that day. For this the people are ranked by date of death, last first, so that everyone alive on
 * a day is a beginning of the ranking. No row is drawn in vain, no chunk needs the one before it.
 */
import type { Session } from '../engine/session.ts'
import type { AgencyFiles, FileGroup } from './agencies.ts'
import type { FileWriter } from './files.ts'
import type { WrittenTables } from './person-tables.ts'
import { type DirtRates, statementsPerSpinePerson } from './settings.ts'

const firstYear = 2018
const lastYear = 2023
const lastYearOfOldLayout = 2020
const statementsInAChunkMax = 2_000_000

/** Writes the four tables from HIRA's `rec`. */
export async function writeClaimTables(
  session: Session,
  writer: FileWriter,
  agency: AgencyFiles,
  options: { spinePersons: number; dirt: DirtRates; hasOldLayout: boolean },
): Promise<WrittenTables> {
  const written: WrittenTables = {}
  for (const sql of ranking) await session.run(sql)
  const statements = Math.round(options.spinePersons * statementsPerSpinePerson)
  const years = lastYear - firstYear + 1
  for (let year = firstYear; year <= lastYear; year++) {
    const inYear = Math.floor(statements / years)
    const chunks = Math.ceil(inYear / statementsInAChunkMax)
    for (let chunk = 0; chunk < chunks; chunk++) {
      await session.run(
        chunkOf(year, chunk, { chunks, inYear, afterDeath: options.dirt.claimsAfterDeath }),
      )
      const isOld = options.hasOldLayout && year <= lastYearOfOldLayout
      for (const table of tablesOf(isOld)) {
        const file = `${table.fileStem}_${year}${chunks > 1 ? `_${chunk + 1}` : ''}.csv`
        const list = table.columns.map(([, name, sql]) => `${sql} as "${name}"`)
        const rows = await writer.csv(
          `${agency.directory}/${file}`,
          `select ${agency.id} as "${agency.columns.id}", ${list.join(', ')} from ${table.from}`,
          agency.dialect,
          table.isAscii,
        )
        remember(written, table, file, rows)
      }
    }
  }
  for (const name of ['statement', 'ranked']) await session.run(`drop table ${name}`)
  return written
}

function remember(written: WrittenTables, table: ClaimTable, file: string, rows: number): void {
  const entry = written[table.name] ?? { rows: 0, groups: [] }
  written[table.name] = entry
  entry.rows += rows
  const columns = Object.fromEntries(table.columns.map(([name, inFile]) => [name, inFile]))
  const layout = JSON.stringify(columns)
  const group = entry.groups.find((known) => JSON.stringify(known.columns) === layout)
  if (group === undefined) entry.groups.push({ files: [file], columns } satisfies FileGroup)
  else group.files.push(file)
}

const ranking = [
  `create or replace table ranked as
    select (row_number() over () - 1)::bigint as rank, local, true_birth, site, sex, dx
    from (select * from rec order by death desc nulls first, local)`,
  `set variable alive = (
    select list(alive order by day) from (
      select day, ((select count(*) from rec)
        - coalesce(sum(dead) over (order by day rows between unbounded preceding and 1 preceding), 0)
        )::bigint as alive
      from (select unnest(range(0, 2191)) as day) as days
      left join (select death - date '${firstYear}-01-01' as day, count(*) as dead
        from rec where death is not null group by all) as deaths using (day)))`,
  // A row's further choices are hashes of its claim number; lines of a claim add their number.
  `create or replace macro lines(mid, tag, below_0, below_1, below_2) as range(1, 1 + case
    when u(tag, mid) < below_0 then 0 when u(tag, mid) < below_1 then 1 when u(tag, mid) < below_2 then 2 else 3 end)`,
]

/** Statements of one chunk of a year as table `statement`, in the order of date and claim number. */
function chunkOf(
  year: number,
  chunk: number,
  of: { chunks: number; inYear: number; afterDeath: number },
): string {
  const from = Math.floor((of.inYear * chunk) / of.chunks)
  const to = Math.floor((of.inYear * (chunk + 1)) / of.chunks)
  const days = year % 4 === 0 ? 366 : 365
  const newYear = `date '${year}-01-01'`
  const code = `getvariable('site_code')[site] || case when getvariable('site_subs')[site] = 1 then ''
    else '.' || (dice('part', local) % getvariable('site_subs')[site]::ubigint)::varchar end`
  return `create or replace table statement as
    with placed as (
      select ${year}000000000::bigint + i as mid, ${newYear} + (i * ${days} // ${of.inYear})::integer as day
      from range(${from}, ${to}) t(i)
    ), tossed as (
      select mid, day, getvariable('alive')[1 + (day - date '${firstYear}-01-01')] as alive,
        dice('statement', mid) as toss, (select count(*) from ranked) as everyone
      from placed
    ), drawn as (
      select mid, day, case when u('after', mid) < ${of.afterDeath} and alive < everyone
        then alive + (toss % (everyone - alive)::ubigint)::bigint
        else (toss % alive::ubigint)::bigint end as rank
      from tossed
    ), known as (
      select mid, day, local, sex, site, coalesce(dx <= day and u('cancer', mid) < 0.45, false) as is_cancer
      from drawn join ranked using (rank) where day >= true_birth
    )
    select mid, day, local, sex, is_cancer, case when is_cancer then ${code}
        when sex = 'M' then pick(getvariable('kcd_m'), dice('kcd', mid))
        else pick(getvariable('kcd_f'), dice('kcd', mid)) end as code,
      (dice('form', mid) % 20)::utinyint as form
    from known order by mid`
}

type ClaimTable = {
  name: string
  fileStem: string
  from: string
  isAscii: boolean
  /** Catalogue column, column of the file, SQL; in the order of the file. */
  columns: (readonly [name: string, inFile: string, sql: string])[]
}

const department = `case when is_cancer then pick(['01', '01', '04', '17'], dice('department', mid))
  else pick(['00', '01', '02', '03', '05', '10', '11', '12', '13', '14', '15', '24'], dice('department', mid)) end`
const institution = `dice('institution', mid)`
const amount = `(9000 + dice('amount', mid) % case when form = 0 then 4000000 else 90000 end) // 10 * 10`
const otherCode = (tag: string, i: string): string => `case when sex = 'M'
  then pick(getvariable('kcd_m'), dice('${tag}', ${i})) else pick(getvariable('kcd_f'), dice('${tag}', ${i})) end`

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

function tablesOf(isOld: boolean): ClaimTable[] {
  return [
    {
      name: 'statement',
      fileStem: 't20',
      from: 'statement',
      isAscii: false,
      columns: isOld ? oldStatementColumns() : statementColumns,
    },
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
        [
          'FQ1_MDCT_QTY',
          'FQ1_MDCT_QTY',
          `pick(['1', '1', '1', '0.5', '2'], dice('dosed', ${line}))`,
        ],
        ['DY1_MDCT_FQ', 'DY1_MDCT_FQ', `1 + dice('times', ${line}) % 3`],
        [
          'MDCT_DDCNT',
          'MDCT_DDCNT',
          `pick([3, 5, 7, 14, 28, 30, 60, 90], dice('supply', ${line}))`,
        ],
      ],
    },
  ]
}
