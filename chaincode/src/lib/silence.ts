/**
 * Imported before anything of the shim: gives it loggers that say nothing. Its own format every line they suppress, and
 * print arguments with some errors; what a transaction was given belongs in no log.
 */
import contractLoggers from 'fabric-contract-api/lib/logger';
import shimLoggers from 'fabric-shim/lib/logger';

const nothing = (): void => undefined;
const quiet = { level: 'error', debug: nothing, info: nothing, warn: nothing, error: nothing };

contractLoggers.getLogger = () => quiet;
shimLoggers.getLogger = () => quiet;
