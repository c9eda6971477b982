/** How an agency's commands reach the service. */
import { type Client, openClient } from '../agency/client.ts'
import type { CommandContext, Option } from './command.ts'
import { readNamedFile } from './files.ts'
import { outageSentence } from './outages.ts'

/** The options of every command that calls the service as an agency. */
export const reach: Readonly<Record<string, Option>> = {
  url: { value: 'url', meaning: 'the service, https://…' },
  certificate: { value: 'file', meaning: 'the certificate of the agency, PEM' },
  'private-key': { value: 'file', meaning: 'its key, PEM' },
  ca: { value: 'file', meaning: 'the authority to trust, PEM; those of the system unless said' },
}

/** The same in examples. */
export const reachWords =
  '--url https://gyeol.example.kr --certificate nhis.pem --private-key nhis.key'

/** Calls the service as the agency whose certificate was named. */
export async function withClient<T>(
  { given, stop, tell }: CommandContext,
  act: (client: Client) => Promise<T>,
): Promise<T> {
  const ca = given.text('ca')
  const client = openClient({
    url: given.need('url'),
    certificate: readNamedFile(given.need('certificate')),
    privateKey: readNamedFile(given.need('private-key')),
    ...(ca === undefined ? {} : { ca: readNamedFile(ca) }),
    // Whoever waits should know that it may be for nothing: a certificate that is not registered is cut off every time.
    onPause: (error, { pauseMs, triesLeft }) =>
      tell(
        `${outageSentence(error)} Trying again in ${Math.ceil(pauseMs / 1000)} s, ${triesLeft} more.`,
      ),
    signal: stop,
  })
  try {
    return await act(client)
  } finally {
    client.close()
  }
}
