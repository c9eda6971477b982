/**
 * The limit of a linkage: a bare DuckDB script that joins each agency's tokens with the spine's by K1, refuses a link where
 * K4 differs, and writes what a linkage writes: the persons in order of their numbers, the places of all serials in
 * order of serial, and the index. No other key, no hub, no second serial, no case, no check, no count.
 *
 * A process of its own: `node linkage-limit.ts <output directory> <spine> <other> …`. Its last line is JSON.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { quoteText } from '../../src/engine/session.ts'
import { parquetOptions } from '../../src/engine/take-table.ts'

const [output = '', spine = '', ...others] = process.argv.slice(2)
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: '2500MiB',
  threads: '2',
  temp_directory: join(output, 'spill'),
})
const connection = await instance.connect()
const before = process.cpuUsage()
const began = performance.now()

await connection.run(`create table found as
  select t1, any_value(t4) as t4, md5(t1::varchar)::uuid as person
  from read_parquet(${quoteText(spine)}) where t1 is not null group by t1 order by person`)
await connection.run(`create view person as select rowid::integer as ordinal, * from found`)
await copy('persons', 'select ordinal, person from person')
await copy(
  'index',
  `select serial, ordinal, person, own.t1, own.t4
  from read_parquet(${quoteText(spine)}) as own left join person using (t1) order by serial`,
)
for (const [index, file] of [spine, ...others].entries()) {
  await copy(
    `map-${index}`,
    `select serial, case when pass < 3 then ordinal end as ordinal, pass,
      case pass when 1 then '=..=.' when 2 then '=..-.' end as pattern
    from (
      select serial, ordinal, case when ordinal is null then 9 when own.t4 is null or person.t4 is null then 2
        when own.t4 = person.t4 then 1 else 3 end::tinyint as pass
      from read_parquet(${quoteText(file)}) as own left join person using (t1)
    )
    order by serial`,
  )
}
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(before)
rmSync(output, { recursive: true, force: true })
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }))

async function copy(name: string, query: string): Promise<void> {
  const file = join(output, `${name}.parquet`)
  await connection.run(`copy (${query}) to ${quoteText(file)} (${parquetOptions})`)
}
