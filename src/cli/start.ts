/** The service on this machine. */
import { startAllRoles } from './all-roles.ts'
import type { Command, CommandContext } from './command.ts'
import { createLog } from './log.ts'
import { stopped } from './waiting.ts'

export const startCommand: Command = {
  usage: '',
  options: {},
  examples: [
    'gyeol start',
    'GYEOL_HOME=/srv/gyeol GYEOL_PORT=443 gyeol start',
    'DATABASE_URL=postgres://postgres@db/gyeol REDIS_URL=redis://queue gyeol start',
  ],
  run: start,
}

async function start(context: CommandContext): Promise<undefined> {
  const { config, print, tell } = context
  const log = createLog('start', config.logLevel, print)
  const starting = startAllRoles(config, { log, onLine: print })
  const first = await Promise.race([starting, stopped(context.stop)])
  const service = first ?? (await starting)
  try {
    if (service.made.keyrings > 0) {
      tell(
        `Keyrings were made in ${config.keys}. Their passphrases lie beside them, for this machine alone:`,
      )
      tell('in production make them with `gyeol keys init` and keep the passphrases elsewhere.')
    }
    if (service.made.certificates)
      tell(`An authority and a certificate were made in ${config.tls}.`)
    log.info('ready', { url: service.url })
    await Promise.race([stopped(context.stop), service.failed])
  } finally {
    await service.stop()
  }
  log.info('stopped')
}
