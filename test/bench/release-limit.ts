/**
 * The limit of a release: a bare DuckDB script that joins each part of statements with the list of persons, puts the rows
 * in the order of pseudonyms, and writes the same columns to Parquet, on two cores. The columns leave as they came: no
 * rule, no sensitive class, no scan, no number of the release's own, no seal, no measure.
 *
 * A process of its own: `node release-limit.ts <directory> <columns> <persons> <part> …`. Its last line is JSON.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { quoteIdentifier, quoteText } from '../../src/engine/session.ts'

const [directory = '', names = '', persons = '', ...parts] = process.argv.slice(2)
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: '800MiB',
  threads: '2',
  temp_directory: join(directory, 'spill'),
})
const connection = await instance.connect()
const columns = names.split(',').map((name) => `part.${quoteIdentifier(name)}`)
const output = join(directory, 'limit.parquet')
const began = performance.now()
for (const part of parts) {
  await connection.run(`copy (
    select ${['persons.pseudonym', ...columns].join(', ')}
    from read_parquet(${quoteText(part)}) as part
    join read_parquet(${quoteText(persons)}) as persons on part.serial = persons.serial
    order by persons.pseudonym
  ) to ${quoteText(output)} (format parquet, compression zstd)`)
}
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage()
rmSync(output, { force: true })
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }))
