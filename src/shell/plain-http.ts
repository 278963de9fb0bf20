/**
 * `import … from 'node:http'` asks for everything that this module has, and so loads WebSocket and with it all of fetch, which nothing here
 * uses: a tenth of a start's CPU. Asked for by its name it is what it is. `test/architecture.test.ts` lets this file do so, and no other.
 */
export const { createServer } = process.getBuiltinModule('node:http');
