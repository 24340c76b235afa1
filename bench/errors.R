# Called by errors.py: Rscript errors.R folder sheets clustered items [items ...]
# Prints the seconds of svyby for each number of items, and writes the means and errors of the last.
suppressMessages(library(survey))
arguments <- commandArgs(TRUE)
folder <- arguments[1]
sheets <- as.integer(arguments[2])
counts <- as.integer(arguments[-(1:3)])
whole <- function(name) readBin(file.path(folder, name), "integer", sheets)
frame <- data.frame(
  organization = factor(whole("organization")), stratum = whole("stratum"),
  cluster = whole("cluster"), weight = readBin(file.path(folder, "weight"), "double", sheets)
)
answers <- file(file.path(folder, "answers"), "rb")
for (item in seq_len(max(counts))) {
  frame[[paste0("q", item)]] <- as.numeric(readBin(answers, "integer", sheets, size = 1))
}
close(answers)
design <- if (arguments[3] == "1") {
  svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = frame)
} else {
  svydesign(ids = ~1, weights = ~weight, data = frame)
}
for (count in counts) {
  items <- reformulate(paste0("q", seq_len(count)))
  seconds <- system.time(result <- svyby(items, ~organization, design, svymean))[["elapsed"]]
  cat(seconds, "\n")
}
writeBin(as.numeric(coef(result)), file.path(folder, "means"))
writeBin(as.numeric(as.matrix(SE(result))), file.path(folder, "errors"))
