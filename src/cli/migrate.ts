/** Brings the database to the schema of this release. */
import { type Command, type CommandContext, jsonOption } from './command.ts'
import { bringUp, provisionElsewhere } from './database.ts'
import { databaseUrlOf } from './role-urls.ts'

export const migrateCommand: Command = {
  usage: '[options]',
  options: {
    provision: {
      meaning: 'DATABASE_URL is a superuser: make the roles first, passwords in <home>/roles.json',
    },
    ...jsonOption,
  },
  examples: [
    'DATABASE_URL=postgres://gyeol_migrate@db/gyeol gyeol migrate',
    'DATABASE_URL=postgres://postgres@db/gyeol gyeol migrate --provision',
  ],
  run: run,
}

async function run({ config, given, print, printJson }: CommandContext): Promise<undefined> {
  const url = databaseUrlOf(config, 'migrate')
  const isAdmin = given.has('provision')
  const applied = await bringUp(
    isAdmin ? (await provisionElsewhere(url, config.home)).gyeol_migrate : url,
  )
  for (const number of applied) print(`applied migration ${number}`)
  if (applied.length === 0) print('the schema is current')
  printJson({ applied })
}
