/** Witnesses of a test: the real command, in processes of their own. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiClient } from './api-client.ts'
import { type Ending, gyeol } from './gyeol.ts'

export type TestWitness = {
  name: string
  directory: string
  verifierKey: string
  /** One look at the trail, as the client; more words of the command line may follow. */
  look: (as: ApiClient, ...more: string[]) => Promise<Ending>
}

/** Makes a witness in a directory of its own below `home`. `logKey`: of the trail that it is to watch. */
export async function makeTestWitness(
  home: string,
  name: string,
  logKey: string,
): Promise<TestWitness> {
  const directory = join(home, name.replaceAll('/', '-'))
  const made = await gyeol(['audit', 'witness-key', '--witness', name, '--directory', directory])
  if (made.code !== 0) throw new Error(made.err)
  const look: TestWitness['look'] = ({ reach, token }, ...more) => {
    const write = (file: string, content: string | Buffer): string => {
      const path = join(directory, file)
      if (!existsSync(path)) writeFileSync(path, content, { mode: 0o600 })
      return path
    }
    const as =
      token === undefined
        ? [
            ...['--certificate', write('agency.pem', reach.tls.cert ?? '')],
            ...['--private-key', write('agency.key', reach.tls.key ?? '')],
          ]
        : ['--token-file', write('token', token)]
    const to = ['--url', reach.url, '--ca', write('ca.pem', reach.tls.ca)]
    const words = ['audit', 'witness', '--directory', directory, '--key', logKey]
    return gyeol([...words, ...to, ...as, ...more])
  }
  const verifierKey = readFileSync(join(directory, 'witness.pub'), 'utf8').trim()
  return { name, directory, verifierKey, look }
}
