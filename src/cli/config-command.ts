/** Shows the settings: what there is, and what this environment makes of it. */
import type { Command, CommandContext } from './command.ts'
import { environmentOf } from './config.ts'
import { settings, settingsTable } from './settings.ts'

export const configCommand: Command = {
  usage: '[--markdown | --json]',
  options: {
    markdown: { meaning: 'the table of the README' },
    json: { meaning: 'the values, one line of JSON' },
  },
  examples: ['gyeol config', 'gyeol config --markdown'],
  run: run,
}

async function run({ config, given, print, printJson }: CommandContext): Promise<undefined> {
  if (given.has('markdown')) {
    print(settingsTable())
    return
  }
  const values = Object.fromEntries(
    Object.entries(environmentOf(config)).map(([variable, value]) => [
      variable,
      shown(variable, value),
    ]),
  )
  if (given.has('json')) {
    printJson(values)
    return
  }
  for (const { variable, otherwise, meaning } of settings) {
    print(`${variable}=${values[variable] ?? ''}`)
    print(`    ${meaning}. Default: ${otherwise}`)
  }
}

/** URLs hold passwords. */
function shown(variable: string, value: string): string {
  if (!variable.endsWith('_URL')) return value
  const url = new URL(value)
  if (url.password !== '') url.password = '***'
  return url.href
}
