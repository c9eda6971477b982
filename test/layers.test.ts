import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

/**
 * A file imports from its own folder and from rows above; never sideways, never down. The two rooms
 * of the first row are one: what is true, and the data sets it is true of.
 */
const rows = [
  ['core', 'catalogue'],
  ['keys', 'vault', 'store', 'engine', 'queue', 'report'],
  ['actions'],
  ['http', 'worker', 'agency', 'population'],
  ['cli'],
  ['main.ts'],
]

const source = fileURLToPath(new URL('../src/', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, room: roomOf(path), text: readFileSync(join(source, path), 'utf8') }))

test('the house', (t) => {
  t.ok(files.length > 20, 'there are files to look at')

  for (const { path, room, text } of files) {
    const row = rowOf(room)
    if (row < 0) t.fail(`${path} is in a room of no row`)
    for (const [, specifier = ''] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      const imported = normalize(join(dirname(path), specifier))
      const target = roomOf(imported)
      const isInside = target === room || (row === 0 && rowOf(target) === 0)
      const isAbove = rowOf(target) >= 0 && rowOf(target) < row
      if (!isInside && !isAbove && !imported.startsWith('..')) t.fail(`${path} imports ${imported}`)
      if (imported.startsWith('..')) t.fail(`${path} imports from outside src`)
    }
  }

  for (const { path, text } of files) {
    if (path !== 'main.ts' && /process\.(env|argv)\b/.test(text)) {
      t.fail(`${path} reads the environment or the arguments; only main.ts does`)
    }
    if (/^export default\b/m.test(text)) t.fail(`${path} has a default export`)
    const lines = text.split('\n').length - 1
    if (lines > 400) t.fail(`${path} has ${lines} lines`)
    if (/^export \* from\b/m.test(text)) t.fail(`${path} is a barrel`)
  }
  t.end()
})

function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function rowOf(room: string): number {
  return rows.findIndex((rooms) => rooms.includes(room))
}
