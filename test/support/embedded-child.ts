/**
 * A service with an embedded PostgreSQL, to be ended in every way: `node embedded-child.ts <source>
 * <home> <ending>`. Prints one line of JSON when the database runs.
 */
import { pathToFileURL } from 'node:url'

const [source = '', home = '', ending = 'stop'] = process.argv.slice(2)
const { startEmbeddedDatabase } = await import(pathToFileURL(`${source}/store/embedded.ts`).href)
try {
  const database = await startEmbeddedDatabase({ home })
  console.log(JSON.stringify({ port: database.port, url: database.urls.admin }))
  if (ending === 'stop') await database.stop()
  if (ending === 'wait') setInterval(() => {}, 1_000)
  if (ending === 'throw') setImmediate(() => ending.repeat(-1))
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : 'none'
  console.log(JSON.stringify({ refused: code, message: String(error) }))
}
