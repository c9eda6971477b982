/** The address at which the API listens. */
import { createServer } from 'node:net'
import { Refusal } from '../core/errors.ts'

/**
 * The port to listen at: the one asked for, if nothing listens there; any free one for 0.
 *
 * @throws {Refusal} `address-taken`.
 */
export async function freePortOf(host: string, port: number): Promise<number> {
  const server = createServer()
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' ? (address?.port ?? port) : port))
      })
    })
  } catch (error) {
    throw addressRefusalOf(error, port)
  }
}

const everyHost: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** The URL under which this machine itself reaches what listens there. */
export function urlAt({ host, port }: { host: string; port: number }): string {
  const reached = everyHost.has(host) ? '127.0.0.1' : host
  return `https://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

/** Why nothing can listen at an address; what else was thrown, as it is. */
export function addressRefusalOf(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new Refusal(
      'address-taken',
      'Something else listens at this port. Stop it, or set GYEOL_PORT to another.',
      { port },
    )
  }
  if (code !== 'EADDRNOTAVAIL' && code !== 'EACCES' && code !== 'ENOTFOUND') return error
  return new Refusal(
    'address-taken',
    'This machine lets nobody listen there. Set GYEOL_HOST and GYEOL_PORT to others.',
    { port },
  )
}
