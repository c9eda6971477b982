/**
 * The limit: a bare DuckDB script over the same agency files. It parses every table with its types, joins it with the
 * persons whose number stands in the spine, and writes Parquet. No hash, no seal, no queue, no audit, no HTTP, no policy,
 * no order: less than this nobody can do.
 *
 * Started as a process of its own: `node limit.ts <population directory> <output directory>`. Its last line is JSON.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import type { CatalogueColumn } from '../../src/catalogue/schema.ts'
import { quoteIdentifier, quoteText } from '../../src/engine/session.ts'

const agencies = ['ncc', 'nhis', 'hira', 'kdca', 'kostat']

const [population = '', output = ''] = process.argv.slice(2)
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: '1200MiB',
  threads: '2',
  temp_directory: join(output, 'spill'),
  preserve_insertion_order: 'false',
})
const connection = await instance.connect()
const began = performance.now()
let rows = 0

for (const agency of agencies) {
  const directory = join(population, agency)
  const text = readFileSync(join(directory, 'source.json'), 'utf8')
  const source = sourceDescriptionSchema.parse(JSON.parse(text))
  for (const persons of source.persons) {
    const number = quoteIdentifier(String(persons.fields['registrationNumber']))
    const from = csv(directory, persons)
    if (agency === agencies[0]) {
      await connection.run(`create table spine as
        select ${number} as number, (row_number() over ())::integer as person from ${from} group by all`)
    }
    await connection.run(`create or replace table map as
      select p.${quoteIdentifier(persons.id)} as id, any_value(s.person) as person
      from ${from} as p join spine as s on p.${number} = s.number group by all`)
  }
  for (const [table, groups] of Object.entries(source.tables)) {
    for (const [index, group] of groups.entries()) {
      const columns = defaultCatalogue().tables[table]?.columns ?? {}
      const chosen = Object.entries(columns).flatMap(([name, column]) => {
        const theirs = group.columns[name] === undefined ? name : group.columns[name]
        return theirs === null ? [] : [`${castOf(theirs, column)} as ${quoteIdentifier(name)}`]
      })
      const file = join(output, `${table}-${index}.parquet`)
      const copied = await connection.runAndReadAll(`copy (
        select m.person, ${chosen.join(', ')} from ${csv(directory, group)} as t
        join map as m on t.${quoteIdentifier(group.person)} = m.id
      ) to ${quoteText(file)} (format parquet, compression zstd)`)
      rows += Number(copied.getRows()[0]?.[0] ?? 0)
    }
  }
}

const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, rowsWritten: rows }))

type Files = { files: string[]; encoding: string; delimiter: string }

/** DuckDB has no CP949. What the script does about it is what people do: `iconv` first. */
function csv(directory: string, group: Files): string {
  const files = group.files.map((file) => {
    const path = join(directory, file)
    return quoteText(group.encoding === 'cp949' ? converted(path) : path)
  })
  return `read_csv([${files.join(', ')}], header = true, delim = ${quoteText(group.delimiter)},
    all_varchar = true, quote = '"', escape = '"')`
}

function converted(path: string): string {
  const target = join(output, `utf8-${basename(path)}`)
  const sink = openSync(target, 'w')
  const run = spawnSync('iconv', ['-f', 'CP949', '-t', 'UTF-8', path], {
    stdio: ['ignore', sink, 'inherit'],
  })
  closeSync(sink)
  if (run.status !== 0) throw new Error('the limit needs the iconv command')
  return target
}

function castOf(theirs: string, column: CatalogueColumn): string {
  const name = `t.${quoteIdentifier(theirs)}`
  if (column.type === 'integer') return `${name}::bigint`
  if (column.type === 'decimal') return `${name}::double`
  if (column.type === 'date') {
    return column.format === 'YYYY-MM-DD'
      ? `${name}::date`
      : `try_strptime(${name}, '%Y%m%d')::date`
  }
  return name
}
