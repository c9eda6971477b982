import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { agencies } from '../../src/population/agencies.ts'

/** The rows of a CSV without quotes, by column. */
export async function rowsOf(
  file: string,
  encoding: 'utf-8' | 'cp949' = 'utf-8',
): Promise<Record<string, string>[]> {
  const lines = iconv.decode(await readFile(file), encoding).split(/\r?\n/)
  const header = (lines[0] ?? '').split(',')
  return lines
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const cells = line.split(',')
      return Object.fromEntries(header.map((name, i) => [name, cells[i] ?? '']))
    })
}

export type HeldPerson = { id: string; number: string; name: string; birth: string; sex: string }

/** The persons file of every agency of the first wave, as the agency has it. */
export async function personsByAgency(dir: string): Promise<Record<string, HeldPerson[]>> {
  const all: Record<string, HeldPerson[]> = {}
  for (const { wave, directory, columns, dialect, name, sexes } of agencies) {
    if (wave === 2) continue
    const rows = await rowsOf(join(dir, directory, 'persons.csv'), dialect.encoding)
    all[name] = rows.map((row) => ({
      id: row[columns.id] ?? '',
      number: row[columns.registrationNumber] ?? '',
      name: row[columns.name] ?? '',
      birth: row[columns.birthDate] ?? '',
      sex: row[columns.sex] === sexes[0] ? 'M' : 'F',
    }))
  }
  return all
}

/** Every file below a directory with the digest of its bytes. */
export async function digestsOf(dir: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    digests[path.slice(dir.length + 1)] = digest
  }
  return digests
}
