# Called by raking.py: Rscript raking.R folder respondents epsilon
# Prints the median seconds of three runs of rake, and writes the weights.
suppressMessages(library(survey))
arguments <- commandArgs(TRUE)
folder <- arguments[1]
respondents <- as.integer(arguments[2])
columns <- c("sex", "age", "region", "education")
frame <- data.frame(start = rep(1, respondents))
population <- list()
for (column in columns) {
  frame[[column]] <- factor(readBin(file.path(folder, column), "integer", respondents))
  shares <- readBin(file.path(folder, paste0(column, ".share")), "double", 100)
  population[[column]] <- data.frame(factor(levels(frame[[column]])), shares * respondents)
  names(population[[column]]) <- c(column, "Freq")
}
design <- svydesign(ids = ~1, weights = ~start, data = frame)
margins <- lapply(columns, function(column) reformulate(column))
control <- list(maxit = 500, epsilon = as.numeric(arguments[3]))  # a share of the total
seconds <- replicate(3, system.time(
  raked <<- rake(design, margins, unname(population), control = control)
)[["elapsed"]])
cat(median(seconds), "\n")
writeBin(weights(raked), file.path(folder, "weight"))
