/** A child that runs and never says hello. */
process.on('disconnect', () => process.exit());
process.on('message', () => undefined);
