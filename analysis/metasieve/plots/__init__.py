"""Pictures, one module for each kind. Each module has

    plot(...)       returns a matplotlib figure
    table_of(...)   returns the numbers that are drawn, as a data frame
    draw(options)   yields (ending of the file's name, figure, table) for `python3 -m metasieve plot KIND`
"""
