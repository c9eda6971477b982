import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { commands } from '../src/cli/commands.ts'
import { settingsTable } from '../src/cli/settings.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the README is at most 200 lines and its configuration table is the one in force', async (t) => {
  t.ok(readme.split('\n').length <= 201)
  t.ok(readme.includes(settingsTable()), 'gyeol config --markdown prints the table')
})

test('every command and script that the README names exists', async (t) => {
  const manifest: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const names = Object.keys(commands)
  for (const [, words = ''] of readme.matchAll(/`?gyeol ((?:[a-z]+ ?){1,2})/g)) {
    const [first = '', second = ''] = words.trim().split(' ')
    const isCommand = names.includes(first) || names.includes(`${first} ${second}`)
    t.ok(isCommand, `gyeol ${first} ${second}`)
  }
  for (const [, script = ''] of readme.matchAll(/npm run ([a-z]+)/g)) {
    t.ok(manifest.scripts[script], `npm run ${script}`)
  }
})
