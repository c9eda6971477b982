/**
 * The limit of a release: a bare DuckDB script that joins each part of statements with the list of persons, puts the rows
 * in the order of pseudonyms, and writes the same columns to Parquet, on two cores. Parts and list are as the service has
 * them, by number, and the files are written with the same options. The columns leave as they came: no rule, no sensitive
 * class, no scan, no seal, no measure; only a number that a release would show under one of its own is a digest as long.
 *
 * A process of its own: `node release-limit.ts <directory> <columns> <numbers> <persons> <part> …`. Its last line is JSON.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { releaseParquet } from '../../src/engine/release-rows.ts'
import { quoteIdentifier, quoteText } from '../../src/engine/session.ts'
import { parquetOptions } from '../../src/engine/take-table.ts'

const [directory = '', names = '', numbers = '', persons = '', ...parts] = process.argv.slice(2)
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: '800MiB',
  threads: '2',
  temp_directory: join(directory, 'spill'),
})
const connection = await instance.connect()
const columns = names.split(',').map((name) => {
  const column = quoteIdentifier(name)
  return numbers.split(',').includes(name) ? `md5(part.${column}) as ${column}` : `part.${column}`
})
const [numbered, output] = [join(directory, 'numbered.parquet'), join(directory, 'limit.parquet')]
const list = `read_parquet(${quoteText(persons)}) as persons`
let [seconds, cpuSeconds] = [0, 0]
for (const part of parts) {
  await connection.run(`copy (
    select persons.ordinal, part.* exclude (serial)
    from read_parquet(${quoteText(part)}) as part join ${list} on part.serial = persons.serial
  ) to ${quoteText(numbered)} (${parquetOptions})`)
  const began = performance.now()
  const before = process.cpuUsage()
  await connection.run(`copy (
    select ${['persons.pseudonym', ...columns].join(', ')}
    from read_parquet(${quoteText(numbered)}) as part join ${list} on part.ordinal = persons.ordinal
    order by persons.rank
  ) to ${quoteText(output)} (${releaseParquet})`)
  seconds += (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  cpuSeconds += (user + system) / 1e6
}
for (const file of [numbered, output]) rmSync(file, { force: true })
console.log(JSON.stringify({ seconds, cpuSeconds }))
