/** The API process. */
import { expireExtractions } from '../actions/expire-extractions.ts'
import { expireQuestions } from '../actions/expire-questions.ts'
import { endDeadDownloads, expireReleases } from '../actions/expire-releases.ts'
import { sweepVault } from '../actions/sweep-vault.ts'
import { type App, buildApp } from '../http/app.ts'
import { nameOf } from '../worker/run-job.ts'
import { addressRefusalOf } from './address.ts'
import type { Command, CommandContext } from './command.ts'
import { passphraseOptions } from './passphrase.ts'
import { openBasis, openDeps } from './process-parts.ts'
import { readTlsFiles } from './tls-files.ts'
import { isSettledWithin, repeat, stopped } from './waiting.ts'

const sweepEveryMs = 3_600_000
const expireEveryMs = 10_000
const drainMs = 25_000

export const serveCommand: Command = {
  usage: '[options]',
  options: passphraseOptions,
  examples: [
    'DATABASE_URL=postgres://gyeol_api@db/gyeol gyeol serve --passphrase-file /run/secrets/api',
    'gyeol serve --passphrase-fd 3 3< <(vault-client read api)',
  ],
  run: serve,
}

/** Listens until told to stop; then answers what was asked, at most 25 s. */
async function serve(context: CommandContext): Promise<undefined> {
  const tls = readTlsFiles(context.config.tls)
  const basis = await openBasis(context, 'api')
  const deps = await openDeps(context, basis)
  const app = await buildApp(deps, { tls, logLevel: context.config.logLevel })
  const url = await listen(app, context.config)
  basis.log.info('listening', { url })
  context.announce({ listening: url })
  const sweeping = repeat(sweepEveryMs, context.stop, async () => {
    try {
      await sweepVault(deps, new Date())
      await endDeadDownloads(deps)
      await expireExtractions(deps)
      await expireQuestions(deps)
    } catch (error) {
      basis.log.error('the vault could not be swept', { error: nameOf(error) })
    }
  })
  const expiring = repeat(expireEveryMs, context.stop, async () => {
    try {
      await expireReleases(deps)
    } catch (error) {
      basis.log.error('releases could not be ended', { error: nameOf(error) })
    }
  })
  await stopped(context.stop)
  basis.log.info('stopping')
  const closed = app.close()
  if (!(await isSettledWithin(drainMs, closed))) app.server.closeAllConnections()
  await closed
  await Promise.all([sweeping, expiring])
  await deps.doorbell.close()
  await basis.pool.end()
}

async function listen(app: App, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    throw addressRefusalOf(error, port)
  }
}
