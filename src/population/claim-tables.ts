/**
 * HIRA's claims: statements (T20), treatment lines (T30), diagnoses (T40) and outside prescriptions
 * (T60).
 *
 * The rows of a year are made in chunks in the order of their dates. A row's date follows from its
 * place; the person is drawn among those alive that day. For this the people are ranked by date of
 * death, last first, so that everyone alive on a day is a beginning of the ranking. No row is drawn
 * in vain, no chunk needs the one before it.
 */
import type { Session } from '../engine/session.ts'
import type { AgencyFiles, FileGroup } from './agencies.ts'
import { type ClaimTable, claimTablesOf } from './claim-columns.ts'
import type { FileWriter } from './files.ts'
import type { WrittenTables } from './person-tables.ts'
import type { DirtRates } from './settings.ts'

const firstYear = 2018
const lastYear = 2023
const lastYearOfOldLayout = 2020
const statementsInAChunkMax = 2_000_000

/** Writes the four tables from HIRA's `rec`. */
export async function writeClaimTables(
  session: Session,
  writer: FileWriter,
  agency: AgencyFiles,
  options: { statements: number; dirt: DirtRates; hasOldLayout: boolean },
): Promise<WrittenTables> {
  const written: WrittenTables = {}
  for (const sql of ranking) await session.run(sql)
  const years = lastYear - firstYear + 1
  for (let year = firstYear; year <= lastYear; year++) {
    const inYear = Math.floor(options.statements / years)
    const chunks = Math.ceil(inYear / statementsInAChunkMax)
    for (let chunk = 0; chunk < chunks; chunk++) {
      await session.run(
        chunkOf(year, chunk, { chunks, inYear, afterDeath: options.dirt.claimsAfterDeath }),
      )
      const isOld = options.hasOldLayout && year <= lastYearOfOldLayout
      for (const table of claimTablesOf(isOld)) {
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
        - coalesce(sum(dead) over (order by day rows between unbounded preceding and 1 preceding),
          0)
        )::bigint as alive
      from (select unnest(range(0, 2191)) as day) as days
      left join (select death - date '${firstYear}-01-01' as day, count(*) as dead
        from rec where death is not null group by all) as deaths using (day)))`,
  // A row's further choices are hashes of its claim number; lines of a claim add their number.
  `create or replace macro lines(mid, tag, below_0, below_1, below_2) as range(1, 1 + case
    when u(tag, mid) < below_0 then 0 when u(tag, mid) < below_1 then 1 when u(tag, mid) < below_2
      then 2 else 3 end)`,
]

/**
 * Statements of one chunk of a year as table `statement`, in the order of date and claim number.
 */
function chunkOf(
  year: number,
  chunk: number,
  of: { chunks: number; inYear: number; afterDeath: number },
): string {
  const from = Math.floor((of.inYear * chunk) / of.chunks)
  const to = Math.floor((of.inYear * (chunk + 1)) / of.chunks)
  const days = year % 4 === 0 ? 366 : 365
  const newYear = `date '${year}-01-01'`
  const code = `getvariable('site_code')[site] || case when getvariable('site_subs')[site] = 1
    then ''
    else '.' || (dice('part', local) % getvariable('site_subs')[site]::ubigint)::varchar end`
  return `create or replace table statement as
    with placed as (
      select ${year}000000000::bigint + i as mid,
        ${newYear} + (i * ${days} // ${of.inYear})::integer as day
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
      select mid, day, local, sex, site, coalesce(dx <= day and u('cancer', mid) < 0.45, false)
        as is_cancer
      from drawn join ranked using (rank) where day >= true_birth
    )
    select mid, day, local, sex, is_cancer, case when is_cancer then ${code}
        when sex = 'M' then pick(getvariable('kcd_m'), dice('kcd', mid))
        else pick(getvariable('kcd_f'), dice('kcd', mid)) end as code,
      (dice('form', mid) % 20)::utinyint as form
    from known order by mid`
}
