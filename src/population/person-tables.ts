/**
 * The tables with a few rows a person: registration, eligibility, screening, death, COVID-19 case
 * and vaccination.
 */
import type { Session } from '../engine/session.ts'
import type { AgencyFiles, FileGroup } from './agencies.ts'
import type { FileWriter } from './files.ts'

/** What was written of each table: its rows, and its files with their layout. */
export type WrittenTables = Record<string, { rows: number; groups: FileGroup[] }>

/**
 * One table in files by year: columns as SQL in the catalogue's order, over a source with a place
 * in time.
 */
type YearlyTable = {
  table: string
  columns: Readonly<Record<string, string>>
  from: string
  orderBy: string
  /** SQL, true for the rows of this year; null writes one file. */
  years: { from: number; to: number; where: (year: number) => string } | null
}

/** Writes the tables of NCC, NHIS, KDCA or Statistics Korea from the agency's `rec`. */
export async function writePersonTables(
  session: Session,
  writer: FileWriter,
  agency: AgencyFiles,
): Promise<WrittenTables> {
  const written: WrittenTables = {}
  for (const make of preparations[agency.name] ?? []) await session.run(make)
  for (const yearly of tablesOf[agency.name] ?? []) {
    const names = Object.keys(yearly.columns)
    const group: FileGroup = { files: [], columns: Object.fromEntries(names.map((n) => [n, n])) }
    const list = Object.entries(yearly.columns).map(([name, sql]) => `${sql} as "${name}"`)
    const select = `select ${agency.id} as "${agency.columns.id}", ${list.join(', ')}
      from ${yearly.from}`
    let rows = 0
    const { from, to, where } = yearly.years ?? { from: 0, to: 0, where: () => 'true' }
    for (let year = from; year <= to; year++) {
      const file = year === 0 ? `${yearly.table}.csv` : `${yearly.table}_${year}.csv`
      group.files.push(file)
      const query = `${select} where ${where(year)} order by ${yearly.orderBy}`
      rows += await writer.csv(
        `${agency.directory}/${file}`,
        query.replaceAll('$year', String(year)),
        agency.dialect,
        true,
      )
    }
    written[yearly.table] = { rows, groups: [group] }
  }
  for (const name of ['tumour', 'dose']) await session.run(`drop table if exists ${name}`)
  return written
}

// Mixes a person's local number with a small number, for choices about one of several rows of a
// person.
const row = (n: string): string => `local * 64 + ${n}`

const preparations: Partial<Record<AgencyFiles['name'], string[]>> = {
  ncc: [
    `create or replace table tumour as
      select * from (
        select local, sex, true_birth, sido, death, n,
          dx + (n * (40 + dice('gap', local) % 800))::integer as found,
          case when n = 0 then site
            when sex = 'M' then pick(getvariable('sites_m'), dice('site2', ${row('n')}))
            else pick(getvariable('sites_f'), dice('site2', ${row('n')})) end as site
        from (select *, unnest(range(0, case when u('tumours', local) < 0.765 then 1
          when u('tumours', local) < 0.96 then 2 when u('tumours', local) < 0.99 then 3 else 4 end))
            as n
          from rec))
      where n = 0 or (found <= date '2021-12-31' and found <= coalesce(death, found))`,
  ],
  // Doses from the first day of the roll-out; the second weeks later, the others in the next
  // seasons.
  kdca: [
    `create or replace table dose as
      select local, sido, n, day, toss from (
        select local, sido, death, n, dice('dose', ${row('n')}) as toss,
          date '2021-02-26' + (dice('first', local) % 210 + case n when 1 then 0 when 2 then 28
            when 3 then 170 when 4 then 420 else 640 end)::integer as day
        from (select *, unnest(range(1, case when u('doses', local) < 0.085 then 1
          when u('doses', local) < 0.115 then 2 when u('doses', local) < 0.265 then 3
          when u('doses', local) < 0.76 then 4 when u('doses', local) < 0.95 then 5 else 6 end))
            as n from rec))
      where day <= coalesce(death, date '2023-12-31')`,
  ],
}

const yesNo = (tag: string, share: number): string =>
  `case when u('${tag}', ${row('n')}) < ${share} then 'Y' else 'N' end`
const sexCode = `case when sex = 'M' then '1' else '2' end`
const isGeneral = `u('kind', ${row('$year - 2000')}) < 0.55`
const measured = (tag: string, mean: string, spread: number): string =>
  `case when ${isGeneral} then (${mean} + ${spread} * bell('${tag}',
    ${row('$year - 2000')}))::integer end`
const inYear = (column: string) => (year: number) => `year(${column}) = ${year}`
const aliveIn = (year: number) =>
  `year(true_birth) <= ${year} and (death is null or year(death) >= ${year})`

const tablesOf: Partial<Record<AgencyFiles['name'], YearlyTable[]>> = {
  ncc: [
    {
      table: 'registration',
      from: 'tumour',
      orderBy: 'found, local, n',
      years: { from: 2012, to: 2021, where: inYear('found') },
      columns: {
        TUMOR_NO: 'n + 1',
        SEX: sexCode,
        BIRTH_YM: `strftime(true_birth, '%Y%m')`,
        SIDO_CD: 'sido',
        FDX_DD: `strftime(found, '%Y%m%d')`,
        TOPO_CD: `getvariable('site_code')[site]
          || case when getvariable('site_subs')[site] = 1 then ''
            else '.' || (dice('sub',
              ${row('n')}) % getvariable('site_subs')[site]::ubigint)::varchar end`,
        MORP_CD: `getvariable('site_morphology')[site]`,
        BEHA_CD: `'3'`,
        GRAD_CD: `pick(['1', '2', '2', '3', '3', '4', '9', '9', '9'], dice('grade', ${row('n')}))`,
        METH_CD: `pick(['7', '7', '7', '7', '7', '7', '6', '5', '2', '1'], dice('method',
          ${row('n')}))`,
        SEER_CD: `pick(['1', '1', '1', '1', '2', '3', '3', '4', '7', '7', '9'], dice('stage',
          ${row('n')}))`,
        SURG_YN: yesNo('surgery', 0.62),
        CHEM_YN: yesNo('chemotherapy', 0.38),
        RADI_YN: yesNo('radiotherapy', 0.24),
        REG_YYYY: 'year(found)',
      },
    },
  ],
  nhis: [
    {
      table: 'eligibility',
      from: 'rec',
      orderBy: 'local',
      years: {
        from: 2015,
        to: 2023,
        where: (year) => `${aliveIn(year)} and u('eligible', ${row(`${year - 2000}`)}) < 0.98`,
      },
      columns: {
        STD_YYYY: '$year',
        SEX: sexCode,
        BTH_YYYY: 'year(true_birth)',
        SIDO_CD: `case when u('moved', ${row('$year - 2000')}) < 0.97 then sido
          else pick(getvariable('sidos'), dice('to', ${row('$year - 2000')})) end`,
        IPSN_TYPE_CD: `pick(['1', '2', '5', '5', '5', '6', '6', '6', '7', '8'], dice('insured',
          local))`,
        CTRB_Q10: `case when dice('insured', local) % 10 >= 8 then 0
          else 1 + dice('premium', ${row('$year // 3 - 660')}) % 10 end`,
        DFAB_GRD_CD: `case when u('disabled', local) < 0.91 then '0'
          when u('disabled', local) < 0.94 then '1' else '2' end`,
        DFAB_PTN_CD: `case when u('disabled', local) < 0.91 then '00'
          else pick(['01', '01', '01', '02', '03', '04', '05', '06', '08', '15'], dice('pattern',
            local)) end`,
      },
    },
    {
      table: 'screening',
      from: 'rec',
      orderBy: `dice('screened', ${row('$year - 2000')}) % 365, local`,
      years: {
        from: 2015,
        to: 2023,
        where: (year) =>
          `year(true_birth) <= ${year - 20} and (death is null or year(death) > ${year})
            and u('screening', ${row(`${year - 2000}`)}) < 0.162`,
      },
      columns: {
        HCHK_YYYY: '$year',
        HCHK_TYPE_CD: `case when ${isGeneral} then 'G' else 'C' end`,
        HCHK_DD: `strftime(date '$year-01-01' + (dice('screened',
          ${row('$year - 2000')}) % 365)::integer, '%Y%m%d')`,
        YKIHO: `10000000 + 37 * (dice('place', ${row('$year - 2000')}) % 20000)::integer`,
        CANC_TYPE_CD: `case when not ${isGeneral} then case when sex = 'M'
          then pick(['1', '1', '2', '3', '6'], dice('cancer', ${row('$year - 2000')}))
          else pick(['1', '1', '2', '3', '4', '5'], dice('cancer',
            ${row('$year - 2000')})) end end`,
        CANC_RSLT_CD: `case when not ${isGeneral}
          then pick(['1', '1', '1', '1', '2', '2', '3', '9'], dice('result',
            ${row('$year - 2000')})) end`,
        HEIGHT: measured('height', `if(sex = 'M', 169, 156)`, 6),
        WEIGHT: measured('weight', `if(sex = 'M', 69, 57)`, 9),
        BP_HIGH: measured('systolic', '125', 14),
        BP_LWST: measured('diastolic', '77', 10),
        BLDS: measured('glucose', '104', 20),
        TOT_CHOLE: measured('cholesterol', '193', 35),
        SMK_STAT_CD: `case when ${isGeneral}
          then pick(['1', '1', '1', '2', '3'], dice('smoking', local)) end`,
      },
    },
  ],
  kdca: [
    {
      table: 'covid_case',
      from: `(select *, unnest(range(0, case when u('cases', local) < 0.553 then 0
          when u('cases', local) < 0.966 then 1 else 2 end)) as n,
          date '2020-01-20' + (case when u('early', local) < 0.04 then dice('caught', local) % 710
            else 720 + dice('caught', local) % 550 end + n * 170)::integer as caught from rec)
              as cases`,
      orderBy: 'caught, local',
      years: {
        from: 2020,
        to: 2023,
        where: (year) => `year(caught) = ${year} and caught <= coalesce(death, caught)`,
      },
      columns: {
        CNFM_DD: `strftime(caught, '%Y-%m-%d')`,
        SIDO_CD: 'sido',
        SEVR_CD: `case when u('severe', ${row('n')}) < 0.012 then '1' else '0' end`,
        REIN_YN: `case when n = 0 then 'N' else 'Y' end`,
      },
    },
    {
      table: 'vaccination',
      from: 'dose',
      orderBy: 'day, local, n',
      years: { from: 2021, to: 2023, where: inYear('day') },
      columns: {
        DOSE_NO: 'n',
        VACC_CD: `case when n > 2 then pick(['PF', 'PF', 'PF', 'MO', 'MO', 'NV'], toss)
          else pick(['AZ', 'AZ', 'PF', 'PF', 'PF', 'PF', 'MO', 'JA'], dice('vaccine', local)) end`,
        VACC_DD: `strftime(day, '%Y-%m-%d')`,
        SIDO_CD: 'sido',
      },
    },
  ],
  kostat: [
    {
      table: 'death',
      from: 'rec',
      orderBy: 'death, local',
      years: null,
      columns: {
        DTH_DD: `strftime(death, '%Y-%m-%d')`,
        CAUS_CD: `case when u('cause', local) < 0.86 then getvariable('site_code')[site]
          else pick(['I21.9', 'I63.9', 'J18.9', 'I50.9', 'X70', 'W19', 'E14.9', 'K74.6'],
            dice('other', local)) end`,
        PLAC_CD: `pick(['2', '2', '2', '2', '2', '2', '2', '1', '1', '3', '9'], dice('place',
          local))`,
        SIDO_CD: 'sido',
      },
    },
  ],
}
